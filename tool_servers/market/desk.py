"""The analyst behind the market server: snapshot, recommend, archive; the same answer once.

Shell around the pure analysis. It reads the lake and writes nothing but the archive of
recommendations. It must never look past the home's clock.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from home.clock import Clock, clock_of
from home.paths import Home
from home.settings import Settings
from tool_servers.market.answers import BarRow, InstrumentRow, Instruments, SnapshotAnswer
from tool_servers.untrusted import untrusted
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import Snapshot, closed_at
from when_to_invest.values import Mode

if TYPE_CHECKING:
    from when_to_invest.decision.recommendation import Recommendation

BARS_SHOWN: Final = 5
_REMEMBERED: Final = 32
_Key = tuple[str, datetime, int, float]


@dataclass(slots=True)
class Analyst:
    """Answers for one home; a repeated question is answered from memory."""

    home: Home
    settings: Settings
    clock: Clock
    _answers: OrderedDict[_Key, Recommendation] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def moment(self, instrument: str, as_of: str | None) -> datetime:
        """Return the instant asked for; without one the home's clock.

        Where no replay was ever started, that is the newest closed bar.

        Raises:
            Fault: `bad_argument` when it is no date, or lies after the home's clock.
        """
        from market_data.source import latest_as_of, parse_as_of

        asked = None if as_of is None else parse_as_of(as_of)
        if self.settings.mode is Mode.REPLAY and not self.home.clock.exists():
            return asked or latest_as_of(self.home, instrument)
        now = self._now()
        if asked is None or asked.date() == now.date():
            return now if asked is None else min(asked, now)
        if asked > now:
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"as_of {utc_text(asked)} lies after the present {utc_text(now)}",
                fix="leave as_of out, or give an earlier date",
            )
        return asked

    def present(self, as_of: str | None) -> datetime:
        """Return the instant asked for, of no instrument in particular; without one the home's clock.

        Where no replay was ever started, that is the newest closed bar of any instrument.

        Raises:
            Fault: `bad_argument` as `moment`.
        """
        from market_data.catalogue import list_instruments
        from market_data.source import latest_as_of

        known = [item.id for item in list_instruments(self.home)]
        newest = max(known, key=lambda each: latest_as_of(self.home, each))
        return self.moment(newest, as_of)

    def _now(self) -> datetime:
        """Return the home's clock; on the wall's, the last full minute.

        Questions within a minute then have one answer, and the archive one entry.
        """
        now = self.clock.now()
        return now if self.settings.mode is Mode.REPLAY else now.replace(second=0, microsecond=0)

    def snapshot(self, instrument: str, as_of: str | None) -> Snapshot:
        """Return the bars of `instrument` that had closed."""
        from market_data.source import snapshot

        return snapshot(self.home, instrument, as_of=self.moment(instrument, as_of))

    def recommendation(
        self, instrument: str, as_of: str | None, horizon_days: int, *, held_fraction: float = 0.0
    ) -> Recommendation:
        """Return the analysis, archived with its data so that it can be replayed."""
        key = (instrument, self.moment(instrument, as_of), horizon_days, held_fraction)
        with self._lock:
            if key not in self._answers:
                self._answers[key] = self._analyse(*key)
                while len(self._answers) > _REMEMBERED:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            return self._answers[key]

    def _analyse(
        self, instrument: str, as_of: datetime, horizon_days: int, held_fraction: float
    ) -> Recommendation:
        from market_data.archive import store
        from market_data.source import snapshot
        from when_to_invest.decision.recommend import recommend

        seen = snapshot(self.home, instrument, as_of=as_of)
        answer = recommend(seen, horizon_days=horizon_days, held_fraction=held_fraction)
        store(self.home.make(), answer, seen)
        return answer

    def instruments(self) -> Instruments:
        """Return every instrument of this home."""
        from market_data.catalogue import list_instruments

        return Instruments(
            instruments=tuple(
                InstrumentRow(
                    id=item.id,
                    name=untrusted(item.name),
                    interval=item.interval.value,
                    venue=untrusted(item.venue),
                    is_tradable=item.is_tradable,
                    has_range=item.has_range,
                    has_volume=item.has_volume,
                )
                for item in list_instruments(self.home)
            )
        )


def analyst_of(home: Home, settings: Settings) -> Analyst:
    """Return the analyst of a home, on its shared clock."""
    return Analyst(home, settings, clock_of(home, settings.mode))


def described(seen: Snapshot) -> SnapshotAnswer:
    """Return a snapshot in a few lines: its hash, its span and its newest bars."""
    count = len(seen.bars)
    return SnapshotAnswer(
        instrument=seen.instrument.id,
        as_of=utc_text(seen.as_of),
        data_as_of=utc_text(seen.data_as_of),
        snapshot_hash=seen.hash,
        bars=count,
        first_opened_at=utc_text(seen.bars.opened_at(0)),
        newest=tuple(_bar(seen, index) for index in range(max(0, count - BARS_SHOWN), count)),
    )


def _bar(seen: Snapshot, index: int) -> BarRow:
    bars, instrument = seen.bars, seen.instrument
    closed = closed_at(bars.opened_at(index), interval=instrument.interval, session=instrument.session)
    return BarRow(
        closed_at=utc_text(closed),
        open_usd=_known(bars.open[index]),
        high_usd=_known(bars.high[index]),
        low_usd=_known(bars.low[index]),
        close_usd=_known(bars.close[index]),
        volume=_known(bars.volume[index]),
    )


def _known(value: float) -> Decimal | None:
    from market_data.session_range import exact_price

    return exact_price(float(value)) if math.isfinite(value) else None
