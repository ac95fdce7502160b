"""Venues behind one small port: the paper venue here, others by the same contract."""
