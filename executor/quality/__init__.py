"""How well orders were executed, from the journal and the recorded market alone. Pure."""
