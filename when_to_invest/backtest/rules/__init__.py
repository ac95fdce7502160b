"""Strategies by name, one idea a module."""
