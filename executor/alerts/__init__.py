"""Tells people what needs them: by log, webhook or SNS, once each, never in the way of trading."""
