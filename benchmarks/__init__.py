"""One file a claim: each module's `rows()` measures ours beside a peer, in the same run."""
