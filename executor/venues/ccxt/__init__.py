"""Venues spoken to through ccxt: one adapter, and a few words per exchange."""
