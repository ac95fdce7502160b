"""What lies ahead, as it is shown: cost of waiting, first days of falls, regime.

Stage: decision (pure), beside evidence: every number is entered as evidence and shown as it was
rounded there. Explains only; no rule decides on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from when_to_invest.decision.eligibility import last_close
from when_to_invest.decision.evidence import DAYS, PROBABILITY, RATIO, EvidenceBook
from when_to_invest.decision.recommendation import FirstPassage, PassageDay, RegimeState, Waiting
from when_to_invest.features.daily import DailyBars

if TYPE_CHECKING:
    from when_to_invest.decision.ahead import Ahead

BPS: Final = "bps"
_CENTS: Final = 2
"""A hundredth of a basis point is finer than any cost of waiting can be known."""
_FUTURES: Final = "models.futures"
_REGIMES: Final = "models.regimes"


def enter_prospects(book: EvidenceBook, ahead: Ahead | None) -> None:
    """Enter everything that is shown, and how well the futures agree with the odds."""
    if ahead is None:
        return
    for identity, value, unit, by in (*_waiting(ahead), *_passages(ahead), *_regime(ahead)):
        book.add(identity, value, unit=unit, by=by)


def waiting(book: EvidenceBook, ahead: Ahead | None) -> tuple[Waiting, ...]:
    """Return the cost of waiting by days; empty where no dynamics were known yet."""
    return tuple(
        Waiting(
            wait_days=each.days,
            cost_bps=book[f"waiting.d{each.days}.cost_bps"],
            error_bps=book[f"waiting.d{each.days}.error_bps"],
            lower_odds=book[f"waiting.d{each.days}.lower_odds"],
            evidence=f"waiting.d{each.days}.cost_bps",
        )
        for each in (ahead.waits if ahead else ())
    )


def first_passages(book: EvidenceBook, ahead: Ahead | None) -> tuple[FirstPassage, ...]:
    """Return the days by which shares of futures have fallen, by fall; empty likewise."""
    return tuple(
        FirstPassage(
            threshold_ratio=each.fall,
            within_days=each.within_days,
            odds=book[_odds_id(each.fall)],
            by_share=tuple(PassageDay(share_ratio=share, after_days=days) for share, days in each.days),
            evidence=_odds_id(each.fall),
        )
        for each in (ahead.passages if ahead else ())
    )


def regime_state(book: EvidenceBook, ahead: Ahead | None, bars: DailyBars) -> RegimeState | None:
    """Return the regime of the newest day; None where no dynamics were known yet."""
    if ahead is None:
        return None
    began = len(bars) - ahead.regime.days
    return RegimeState(
        name="turbulent" if ahead.regime.is_turbulent else "calm",
        probability=book["regime.turbulent"],
        baseline=book["regime.turbulent.baseline"],
        since=last_close(bars.until(began + 1)),
        evidence="regime.turbulent",
    )


_Row = tuple[str, float, str, str]


def _waiting(ahead: Ahead) -> Iterator[_Row]:
    for each in ahead.waits:
        name = f"waiting.d{each.days}"
        yield f"{name}.cost_bps", round(each.cost.cost_bps, _CENTS), BPS, _FUTURES
        yield f"{name}.error_bps", round(each.cost.error_bps, _CENTS), BPS, _FUTURES
        yield f"{name}.lower_odds", each.lower_odds, PROBABILITY, _FUTURES
    yield "futures.effective", ahead.effective, RATIO, "models.reweighting"
    yield "futures.gap", ahead.gap, PROBABILITY, "models.reweighting"


def _odds_id(fall: float) -> str:
    return f"first_passage.f{round(fall * 100):02d}.odds"


def _passages(ahead: Ahead) -> Iterator[_Row]:
    for each in ahead.passages:
        yield _odds_id(each.fall), each.odds, PROBABILITY, _FUTURES
        for share, days in each.days:
            if days is not None:
                name = f"first_passage.f{round(each.fall * 100):02d}.q{round(share * 100):02d}"
                yield name, float(days), DAYS, _FUTURES


def _regime(ahead: Ahead) -> Iterator[_Row]:
    yield "regime.turbulent", ahead.regime.odds, PROBABILITY, _REGIMES
    yield "regime.turbulent.baseline", ahead.regime.usual, PROBABILITY, _REGIMES
    yield "regime.days", float(ahead.regime.days), DAYS, _REGIMES
