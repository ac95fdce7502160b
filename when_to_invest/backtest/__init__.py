"""Backtesting: what a strategy would have done, bar by bar, with costs and without foresight."""
