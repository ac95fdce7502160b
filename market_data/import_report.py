"""What an import kept, dropped and found odd, in values that are stored with the bars.

Shell (pure). Flags and gaps carry their instants, so that a reader can tell which of them were
visible at an as-of. Never decides what is done about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from market_data.quality import Cleaned, Flag, Hole
from when_to_invest.instruments import Instrument, InstrumentId, Interval, Session
from when_to_invest.values import Instant, Value

if TYPE_CHECKING:
    from datetime import datetime

NOT_IN_DOLLARS = "not quoted in US dollars: it can be analysed but not traded"


class FlaggedBar(Value):
    """A bar that was kept but looks wrong; visible from its own close on."""

    row: int
    opened_at: Instant
    why: str


class RecordGap(Value):
    """Calendar days without a bar, between two bars; visible from the later one's close on."""

    after: Instant
    until: Instant
    days: int


class ImportReport(Value):
    """What an import kept, dropped, and found odd; the longest lists hold their first entries."""

    instrument: InstrumentId
    interval: Interval
    session: Session
    venue: str
    rows: int
    start: Instant
    end: Instant
    has_range: bool
    has_volume: bool
    is_tradable: bool
    dropped_duplicates: int
    notes: tuple[str, ...]
    flag_count: int
    flags: tuple[str, ...]
    flagged: tuple[FlaggedBar, ...] = ()
    gap_count: int = 0
    gaps: tuple[RecordGap, ...] = ()
    source_sha256: str

    def flagged_by(self, as_of: datetime) -> tuple[FlaggedBar, ...]:
        """Return those flags whose bar had opened by `as_of` (aware)."""
        return tuple(each for each in self.flagged if each.opened_at <= as_of)

    def gaps_by(self, as_of: datetime) -> tuple[RecordGap, ...]:
        """Return those gaps that had ended by `as_of` (aware)."""
        return tuple(each for each in self.gaps if each.until <= as_of)

    def findings(self) -> dict[str, object]:
        """Return what is odd, for the instrument's `meta.json`."""
        return {
            "flag_count": self.flag_count,
            "flags": [each.model_dump(mode="json") for each in self.flagged],
            "gap_count": self.gap_count,
            "gaps": [each.model_dump(mode="json") for each in self.gaps],
        }


def report_of(
    cleaned: Cleaned, described: Instrument, *, notes: tuple[str, ...], sha256: str
) -> ImportReport:
    """Return the report of an import; `notes` come after those of the cleaning."""
    series = cleaned.series
    return ImportReport(
        instrument=described.id,
        interval=described.interval,
        session=described.session,
        venue=described.venue,
        rows=len(series),
        start=series.opened_at(0),
        end=series.opened_at(-1),
        has_range=cleaned.has_range,
        has_volume=cleaned.has_volume,
        is_tradable=described.is_tradable,
        dropped_duplicates=cleaned.dropped_duplicates,
        notes=(*cleaned.notes, *notes),
        flag_count=cleaned.flag_count,
        flags=tuple(_flag_text(flag) for flag in cleaned.flags),
        flagged=tuple(
            FlaggedBar(row=each.row, opened_at=each.opened_at, why=each.why) for each in cleaned.flags
        ),
        gap_count=cleaned.hole_count,
        gaps=tuple(_gap(each) for each in cleaned.holes),
        source_sha256=sha256,
    )


def _flag_text(flag: Flag) -> str:
    return f"row {flag.row} ({flag.opened_at:%Y-%m-%dT%H:%MZ}): {flag.why}"


def _gap(hole: Hole) -> RecordGap:
    return RecordGap(after=hole.after, until=hole.until, days=(hole.until - hole.after).days)
