"""Whether the record of prices is whole: abstains on a leap, says what else is broken.

Stage: decision (pure), between eligibility and evidence. A leap within the days that today's
figures rest on leaves nothing to decide from; an older one, or a long gap, is told beside the
answer and stands in its evidence.
"""

from __future__ import annotations

from typing import Final

from when_to_invest.decision.evidence import COUNT, DAYS, EvidenceBook
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.breaks import WINDOW_DAYS, breaks_of
from when_to_invest.features.daily import DailyBars

_BY: Final = "features.breaks"
GAP_DAYS: Final = "data.gap_days"
SINCE_GAP: Final = "data.bars_since_gap"
LEAPS: Final = "data.leaps"
SINCE_LEAP: Final = "data.bars_since_leap"


def check_leaps(name: str, bars: DailyBars) -> None:
    """Refuse a record whose newest year holds a leap.

    Raises:
        Fault: `corrupt_data`, with its day.
    """
    leap = breaks_of(bars).newest_in_window
    if leap is None:
        return
    raise Fault(
        ErrorCode.CORRUPT_DATA,
        f"the close of {name} on {leap.day} is {leap.ratio:.3g} times the one before, with no trade "
        f"between: a split, a bad print or another listing. Volatility and trend rest on {WINDOW_DAYS} days",
        fix=f"import bars adjusted for splits, without bad prints, or only those from {leap.day} on",
    )


def enter_breaks(book: EvidenceBook, bars: DailyBars) -> None:
    """Enter what is broken as evidence; nothing for a whole record."""
    found = breaks_of(bars)
    if found.gap:
        book.add(GAP_DAYS, float(found.gap.days), unit=DAYS, by=_BY)
        book.add(SINCE_GAP, float(found.count - found.gap.row), unit=COUNT, by=_BY)
    if found.leaps:
        book.add(LEAPS, float(len(found.leaps)), unit=COUNT, by=_BY)
        book.add(SINCE_LEAP, float(found.count - found.leaps[-1].row), unit=COUNT, by=_BY)


def told_breaks(book: EvidenceBook) -> str:
    """Return what is broken in words, to stand after other limits; empty for a whole record."""
    known, told = book.values, ""
    if GAP_DAYS in known:
        told += (
            f" The record has no bar for {known[GAP_DAYS]:.0f} days, {known[SINCE_GAP]:.0f} bars ago: what "
            "happened then is unknown to every figure here."
        )
    if LEAPS in known:
        told += (
            f" Leaps of the price with no trade between: {known[LEAPS]:.0f}, the last "
            f"{known[SINCE_LEAP]:.0f} bars ago; what was learnt before it is doubtful."
        )
    return told
