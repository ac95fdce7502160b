"""Execution algorithms: a plan, what the journal says and a quote give the next child order. Pure."""
