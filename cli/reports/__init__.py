"""Pictures of answers, and pages that hold them; drawn only when asked for."""
