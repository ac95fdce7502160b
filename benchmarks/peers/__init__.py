"""Programs that run our peers, in an environment of their own.

Their licences keep them out of ours: the environment is made from the lock's `bench` group, and
only numbers travel back.
"""
