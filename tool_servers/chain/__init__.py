"""The chain server: reads balances on an embedded test chain; it has no way to write."""
