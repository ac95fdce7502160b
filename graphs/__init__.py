"""The agent's graph: the stages of one question, wired so that a resume repeats nothing."""
