"""Pure core: the values and rules that every process shares.

Nothing here does I/O, reads a clock or draws a random number without a seed, and
nothing here imports another package of ours.
"""
