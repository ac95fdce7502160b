"""The shell around market data: recorded bars, the lake of imported ones, snapshots, archive."""
