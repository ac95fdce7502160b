"""Trend and the multi-factor score: what the facts say, without deciding."""
