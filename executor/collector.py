"""Keeps the cycle collector off what an executor was started with. Stage: executor, once it has started."""

from __future__ import annotations

import gc


def set_aside_what_stays() -> None:
    """Let the cycle collector never again walk what there is now.

    Modules, classes and what was folded stay. Walking them all stops the loop for longer than
    an order may take, and finds nothing. Cycles that come later are found as ever.
    """
    gc.collect()
    gc.freeze()
