"""Compares what a venue says with the journal, again and again: orders, trades, balances."""
