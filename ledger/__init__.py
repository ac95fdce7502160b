"""The one memory: journal, order queue and the projections folded from the journal."""
