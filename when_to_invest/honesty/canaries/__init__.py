"""Planted look-ahead of every kind we know, and honest twins: what the audit is tested on.

Stage: honesty (pure). Nothing here is ever used for advice; the canaries are wrong on purpose.
"""
