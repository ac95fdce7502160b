"""Waiting that a signal can end, and that tests replace by a clock that jumps."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Patience(Protocol):
    """How the executor waits, and when it stops."""

    @property
    def is_over(self) -> bool:
        """Whether the process was asked to stop."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait, or return at once when asked to stop."""
        ...


class SignalPatience:
    """Waits in real time until SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether a signal arrived."""
        return self._ended.is_set()

    async def pause(self, seconds: float) -> None:
        """Wait `seconds` in real time or until a signal arrives."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    @contextmanager
    def until_signalled(self) -> Iterator[None]:
        """Listen for the signals in this block of a running loop; outside the main thread nothing can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._ended.set)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
