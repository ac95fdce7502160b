"""How far a venue's clock is from ours: measured, and applied to what is signed.

Stage: executor → venue. A measurement that took long proves nothing and is not used.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from executor.venues.ccxt.amounts import contradicted, exact
from executor.venues.ccxt.line import Line, MissedError
from executor.venues.ccxt.pacing import NotNowError

MOST_SKEW: Final = timedelta(seconds=5)
"""Beyond it nothing new is sent: one of the two clocks is wrong, and ours dates everything here."""
LASTS_S: Final = 300.0
TRY_AGAIN_S: Final = 15.0
SLOWEST_S: Final = 2.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class VenueTime:
    """The venue's clock as last measured; `offset` is how far it is ahead of this machine's."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._measure_at = line.monotonic()
        self._is_known = False
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Return what the venue's clock shows."""
        return _EPOCH + timedelta(milliseconds=self._line.client.milliseconds()) + self.offset

    def forget(self) -> None:
        """Have it measured anew before anything else is asked."""
        self._measure_at = self._line.monotonic()

    async def keep(self) -> None:
        """Measure, unless that was done within 5 minutes; what was known stays when that fails.

        Raises:
            NotNowError, MissedError: nothing was ever measured, and the venue does not tell.
            Fault: `venue_contradicted` when it shows no time.
        """
        if self._line.monotonic() < self._measure_at:
            return
        try:
            await self._measure()
        except (NotNowError, MissedError):
            if not self._is_known:
                raise
            self._measure_at = self._line.monotonic() + TRY_AGAIN_S

    async def _measure(self) -> None:
        began = self._line.monotonic()
        told = exact(await self._line.ask("fetch_time"))
        if told is None or not told.is_finite():
            raise contradicted("its clock", "it shows no time")
        took_s = self._line.monotonic() - began
        if took_s > SLOWEST_S:
            raise NotNowError(f"the venue took {took_s:.1f} s to tell the time")
        behind_ms = int(self._line.client.milliseconds() - 500 * took_s) - int(told)
        self._line.client.options["timeDifference"] = behind_ms
        self.offset = timedelta(milliseconds=-behind_ms)
        self._measure_at, self._is_known = began + LASTS_S, True
