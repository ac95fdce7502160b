"""The orders server: takes proposals, asks the gate, seals and queues what it approved."""
