"""What an executor was started with is not walked again, and cycles that come later are found."""

from __future__ import annotations

import gc
import weakref

from executor.collector import set_aside_what_stays


class _Ring:
    """Refers to itself, so that only the cycle collector ends it."""

    def __init__(self) -> None:
        self.itself = self


def test_the_collector_walks_only_what_came_later() -> None:
    ended_before = _Ring()
    before = weakref.ref(ended_before)
    del ended_before
    try:
        set_aside_what_stays()
        assert before() is None
        assert gc.get_freeze_count() > len(gc.get_objects())
        later = weakref.ref(_Ring())
        gc.collect()
        assert later() is None
    finally:
        gc.unfreeze()
