"""What there is a basis to judge: the period asked for, the days the live code would have answered on.

Stage: evaluation (pure), before any score. A forecast of a day on which the live code abstains
(a frozen price, a leap within the days it rests on) was never given, so it is never scored.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from when_to_invest.decision.eligibility import FROZEN_DAYS
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.evaluation.report import FEWEST, Evaluation
from when_to_invest.features.breaks import breaks_of, rests_on_leap
from when_to_invest.features.daily import DailyBars

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.models.walk_forward import Forecasts

    Mask = NDArray[np.bool_]

_MOST_FROZEN: Final = 0.1
"""A record that is frozen for more of the period is no course to hold."""
_ROWS: Final = frozenset({"instrument", "horizons", "thresholds", "levels", "days_per_year"})
_EPOCH: Final = date(1970, 1, 1).toordinal()


def check_period(name: str, *, start: date | None, end: date | None, known: tuple[date, date]) -> None:
    """Refuse a period that ends before it starts, or that no bar of `known` (first, last day) lies in.

    Raises:
        Fault: `bad_argument`.
    """
    first, last = known
    begins, ends = start or first, end or last
    if ends < begins and start and end:
        why = f"the period from {begins} to {ends} ends before it starts"
    elif begins > last or ends < first:
        why = f"no bar of {name} lies in the period from {begins} to {ends}"
    else:
        return
    raise Fault(ErrorCode.BAD_ARGUMENT, why, fix=f"choose a start and an end from {first} to {last}")


def answered(made: Forecasts, bars: DailyBars, notes: list[str]) -> Forecasts | None:
    """Return the forecasts of those days on which the live code would have answered; None without any."""
    frozen, leapt = is_frozen(bars)[made.row], rests_on_leap(bars)[made.row]
    crossing = _crosses_leap(made, bars)
    if frozen.any():
        notes.append(
            f"forecasts: on {int(frozen.sum())} of {len(made)} days the close had not moved for "
            f"{FROZEN_DAYS} days; no advice is given then and none is judged"
        )
    if leapt.any():
        notes.append(
            f"forecasts: {int(leapt.sum())} of {len(made)} days rest on a leap of the price with no trade "
            "between; no advice is given then and none is judged"
        )
    if crossing.any():
        notes.append(
            f"forecasts: what followed {int(crossing.sum())} of {len(made)} days holds such a leap, which is "
            "no outcome, so none of them is judged"
        )
    kept = ~(frozen | leapt | crossing)
    if kept.all():
        return made
    names = [each.name for each in fields(made) if each.name not in _ROWS]
    return replace(made, **{name: getattr(made, name)[kept] for name in names}) if kept.any() else None


def _crosses_leap(made: Forecasts, bars: DailyBars) -> Mask:
    """Return whether a leap lies within the longest horizon after each forecast (m,)."""
    import numpy as np

    found: Mask = np.zeros(len(made), dtype=np.bool_)
    for leap in breaks_of(bars).leaps:
        found |= (made.row < leap.row) & (made.row >= leap.row - max(made.horizons))
    return found


def is_frozen(bars: DailyBars) -> Mask:
    """Return whether the close of each day had not moved for ten days (n,), as the live code asks."""
    import numpy as np

    moved = np.diff(bars.close, prepend=np.nan) != 0.0
    last = np.maximum.accumulate(np.where(moved, np.arange(len(bars)), -1))
    frozen: Mask = np.arange(len(bars)) - last >= FROZEN_DAYS - 1
    return frozen


def is_course(bars: DailyBars, first: date, end: date | None, notes: list[str]) -> bool:
    """Whether the closes of a period can be held as a position: they move, and nowhere leap."""
    import numpy as np

    start, stop = np.searchsorted(
        bars.day, [first.toordinal() - _EPOCH, (end or date.max).toordinal() - _EPOCH + 1]
    )
    close = bars.close[start:stop]
    moved = int(np.count_nonzero(np.diff(close)))
    frozen = int(is_frozen(bars)[start:stop].sum())
    leaps = [leap for leap in breaks_of(bars).leaps if start < leap.row < stop]
    if leaps:
        notes.append(
            f"overlay, deployment: on {leaps[0].day} the price is {leaps[0].ratio:.3g} times the one before "
            "with no trade between, which nobody could have held through"
        )
    elif moved < FEWEST or frozen > _MOST_FROZEN * len(close):
        notes.append(
            f"overlay, deployment: the close moved on {moved} of {len(close)} days and stood for ten in a "
            f"row on {frozen}, too few moves to judge"
        )
    return not leaps and moved >= FEWEST and frozen <= _MOST_FROZEN * len(close)


def check_known(found: Evaluation) -> None:
    """Refuse an evaluation in which nothing at all could be judged.

    Raises:
        Fault: `history_too_short`, with the reasons.
    """
    figures = [
        found.variance.qlike_skill_mean,
        *(each.ece for each in found.p_drop),
        *(each.coverage for each in found.interval),
        found.p_up.brier_skill,
        found.overlay.sharpe,
        found.deployment.vs_dca_pp,
    ]
    if any(each is not None for each in figures):
        return
    raise Fault(
        ErrorCode.HISTORY_TOO_SHORT,
        f"nothing can be judged of {found.instrument} from {found.start} to {found.end}: "
        + "; ".join(found.notes[:3]),
        fix="choose a longer period, or import more history that moves",
    )
