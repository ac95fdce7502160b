"""The risk score and the table of market breakers."""
