"""The rule tree, sizing and the `Recommendation` that comes out; last stage of the core."""
