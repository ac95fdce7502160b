"""Divides what is left of an order over the venues that can take it. Pure."""
