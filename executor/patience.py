"""Waiting that a signal can end, and that tests replace by a clock that jumps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Patience(Protocol):
    """How the executor waits, and when it stops."""

    @property
    def is_over(self) -> bool:
        """Whether the process was asked to stop."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, or return at once when asked to stop."""
        ...


class SignalPatience:
    """Waits in real time until SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether a signal arrived."""
        return self._ended.is_set()

    def pause(self, seconds: float) -> None:
        """Wait `seconds` in real time or until a signal arrives."""
        self._ended.wait(seconds)

    @contextmanager
    def until_signalled(self) -> Iterator[None]:
        """Listen for the signals in this block; outside the main thread nothing can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ended.set()
