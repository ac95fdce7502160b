"""`make demo`: one idea from real bars to a journalled paper fill, with real processes.

The demo is a person at the keyboard: it starts the services as a user would, asks the agent
in its own process, approves with a second key, and kills the executor at the worst moment.
"""
