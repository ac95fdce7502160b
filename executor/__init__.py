"""The only process that writes to venues. It trusts neither the agent nor the gate."""
