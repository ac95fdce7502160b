"""How good the answers were: forecasts, sizing and deployment against what came."""
