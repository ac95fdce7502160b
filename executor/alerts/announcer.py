"""Tells each notice once by every channel, and again only after a quiet time.

Stage: executor → people. `tell` returns at once: each channel has a bounded queue and a thread of
its own, so that neither a slow webhook nor one that is gone holds up trading or another channel.
A delivery that fails is tried again with growing pauses and jitter, then given up and counted.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from executor.alerts.notice import Notice, Phase
from executor.telemetry.port import NoTelemetry, Telemetry
from when_to_invest.errors import Fault

MOST_WAITING: Final = 200
MOST_KNOWN: Final = 2000
MOST_ATTEMPTS: Final = 6
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
CLOSE_WITHIN_S: Final = 3.0


class Channel(Protocol):
    """One way to reach people."""

    @property
    def name(self) -> str:
        """What it is called in figures."""
        ...

    def deliver(self, notice: Notice) -> None:
        """Deliver, within seconds; the same notice twice is told once.

        Raises:
            Fault: it may not have arrived; a retryable one is worth another attempt.
        """
        ...


@dataclass(slots=True)
class _Known:
    told_at_s: float
    suppressed: int = 0
    is_open: bool = True


class Announcer:
    """Tells notices by `channels`; the same kind and scope not twice within `quiet_s` seconds."""

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        quiet_s: float,
        telemetry: Telemetry | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
        patience: Patience | None = None,
    ) -> None:
        self._quiet_s = quiet_s
        self._monotonic_s = monotonic_s
        self._telemetry = telemetry or NoTelemetry()
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        waiting = patience or Patience()
        self._lines = [_Line(channel, self._telemetry, waiting) for channel in channels]

    def tell(self, notice: Notice) -> bool:
        """Have it delivered, unless it was told a moment ago; return whether it will be.

        The end of what was told is told, too; of what flickers, only the first within the quiet time.
        """
        news = self._news(notice)
        if news is None:
            self._telemetry.count("alerts_suppressed", kind=notice.kind)
            return False
        for line in self._lines:
            line.put(news)
        return True

    def close(self) -> None:
        """Give what waits a few seconds to arrive, then let it go."""
        ends_at_s = time.monotonic() + CLOSE_WITHIN_S
        for line in self._lines:
            line.end()
        for line in self._lines:
            line.wait(max(0.0, ends_at_s - time.monotonic()))

    def _news(self, notice: Notice) -> Notice | None:
        key, now_s = (notice.kind, notice.scope), self._monotonic_s()
        known = self._known.get(key)
        if notice.phase is Phase.OVER:
            if known is None or not known.is_open or known.suppressed:
                return None
            known.is_open = False
            return notice
        if known is not None and now_s - known.told_at_s < self._quiet_s:
            known.suppressed += 1
            return None
        self._known[key] = _Known(now_s)
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return replace(notice, repeated=0 if known is None else known.suppressed)


class Patience:
    """Pauses between attempts; jitter keeps many executors from asking at one moment."""

    def __init__(
        self,
        *,
        jitter: Callable[[], float] = lambda: 0.5,
        pause: Callable[[threading.Event, float], object] = lambda is_over, seconds: is_over.wait(seconds),
    ) -> None:
        self._jitter = jitter
        self._pause = pause

    def wait(self, attempt: int, is_over: threading.Event) -> None:
        """Wait after the `attempt`-th failure, between half and all of a doubling pause."""
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**attempt)
        self._pause(is_over, longest_s * (0.5 + 0.5 * self._jitter()))


class _Line:
    """One channel's queue and thread."""

    def __init__(self, channel: Channel, telemetry: Telemetry, patience: Patience) -> None:
        self._channel = channel
        self._telemetry = telemetry
        self._patience = patience
        self._waiting: queue.Queue[Notice | None] = queue.Queue(MOST_WAITING)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"alerts-{channel.name}", daemon=True)
        self._thread.start()

    def put(self, notice: Notice) -> None:
        try:
            self._waiting.put_nowait(notice)
        except queue.Full:
            self._count("no_room")

    def end(self) -> None:
        """Let the thread end after what waits, each tried once more at most."""
        self._is_over.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _work(self) -> None:
        while (notice := self._waiting.get()) is not None:
            self._count("delivered" if self._is_delivered(notice) else "given_up")

    def _is_delivered(self, notice: Notice) -> bool:
        for attempt in range(MOST_ATTEMPTS):
            try:
                self._channel.deliver(notice)
            except Fault as fault:
                self._count("failed", code=fault.code.value)
                if not fault.is_retryable or self._is_over.is_set():
                    return False
                self._patience.wait(attempt, self._is_over)
            else:
                return True
        return False

    def _count(self, outcome: str, *, code: str = "") -> None:
        self._telemetry.count("alert_deliveries", 1, channel=self._channel.name, outcome=outcome, code=code)
