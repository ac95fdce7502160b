"""Volatility, odds and intervals, each beside the base rate that it must beat."""
