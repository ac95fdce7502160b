"""What the orders server does once, before it serves."""

from __future__ import annotations

import gc
import weakref

from tool_servers.orders.main import set_aside_what_stays


class _Ring:
    """Refers to itself, so that only the cycle collector ends it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_the_process_was_started_with_is_not_walked_again_and_later_cycles_are_found() -> None:
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
