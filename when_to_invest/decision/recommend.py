"""From a snapshot to a recommendation: the whole analysis as one pure function.

Stage: decision, last of the core. The way: eligibility, assessment, evidence, sizing, rules,
schedule and invalidation, recommendation. No clock, no I/O, no chance but the seed's: the same
snapshot, horizon, seed and code give the same bytes. Odds of falls, p_up and the return ranges
come from models of their own; cost of waiting and first days of falls from simulated futures
that are weighed to those odds.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from when_to_invest.canonical import digest
from when_to_invest.decision.advice import Advice, advise
from when_to_invest.decision.assessment import Assessment, assess
from when_to_invest.decision.calibration import calibration_card, own_drop_odds
from when_to_invest.decision.code_version import code_version
from when_to_invest.decision.counterfactuals import counterfactuals
from when_to_invest.decision.eligibility import check_history, check_horizon, last_close
from when_to_invest.decision.evidence import KEY_DROP, SCORE, EvidenceBook, collect
from when_to_invest.decision.holdings import Stance, check_held
from when_to_invest.decision.invalidation import clearing, invalidations
from when_to_invest.decision.prospects import enter_prospects, first_passages, regime_state, waiting
from when_to_invest.decision.recommendation import (
    Action,
    Breaker,
    DropOdds,
    Recommendation,
    ReturnInterval,
    Risk,
    RiskPart,
    Tranche,
    UpOdds,
)
from when_to_invest.decision.rules import Case
from when_to_invest.decision.schedule import days_later, expires_at, staged
from when_to_invest.decision.sizing import enter_sizing, size_up
from when_to_invest.decision.soundness import check_leaps, enter_breaks, told_breaks
from when_to_invest.features.daily import daily_bars
from when_to_invest.instruments import Session
from when_to_invest.market import Snapshot
from when_to_invest.models.fall_odds import THRESHOLDS
from when_to_invest.models.prior import shipped_prior
from when_to_invest.money import FINEST_STEP, money_from_float
from when_to_invest.risk.score import score_parts, total_score

LIMITS: Final = (
    "Rules and odds were shaped on US stock indices; elsewhere they are less tested. Direction is "
    "close to unforecastable, so p_up is mostly a base rate. Odds come from past frequencies and "
    "cannot know an event without precedent. No costs, taxes or personal circumstances are considered."
)


def recommend(
    snapshot: Snapshot, *, horizon_days: int = 21, seed: int = 0, held_fraction: float = 0.0
) -> Recommendation:
    """Answer "is now the time, how much, and what would change that?" from closed bars.

    Args:
        snapshot: one instrument's bars as of an instant, of any interval up to a day.
        horizon_days: daily bars ahead, 1 to 126.
        seed: of the simulated futures, from which cost of waiting and first days of falls are
            read; part of the identity. Action, size and odds are the same under any seed.
        held_fraction: share of the budget that is invested already, 0 to 1; part of the
            identity. What is advised starts from there: `size_fraction` is then what to add.

    Raises:
        Fault: `bad_argument`, or an abstention: `history_too_short`, `stale_data`,
            `corrupt_data`.
    """
    check_horizon(horizon_days)
    held = check_held(held_fraction)
    bars = daily_bars(snapshot)
    check_history(snapshot, bars, horizon_days=horizon_days)
    check_leaps(snapshot.instrument.id, bars)
    found = assess(bars, horizon=horizon_days, prior=shipped_prior(), seed=seed)
    book = collect(snapshot, found)
    enter_breaks(book, bars)
    sizing = enter_sizing(book, size_up(book, found.breakers))
    case = Case(book, found.breakers, sizing, _has_drop_skill(found))
    advice = advise(snapshot, found.past, case, horizon=horizon_days, held=held)
    return _compose(snapshot, found, advice, seed=seed)


def _compose(snapshot: Snapshot, found: Assessment, advice: Advice, *, seed: int) -> Recommendation:
    """Write the recommendation down; its parts enter their facts, so `evidence` comes after them."""
    book, bars, stance = advice.case.book, found.past.bars, advice.stance
    enter_prospects(book, found.ahead)
    return Recommendation(
        id=_identity(snapshot, horizon=found.horizon, held=stance.held, seed=seed),
        instrument=snapshot.instrument.id,
        as_of=snapshot.as_of,
        data_as_of=last_close(bars),
        action=stance.action,
        size_fraction=stance.size_fraction,
        schedule=_schedule(book, stance, snapshot.as_of, bars.session),
        held_fraction=stance.held,
        target_fraction=stance.target_fraction,
        raw_action=advice.standing.raw,
        held_back_by=_held_back_by(advice),
        eases_at=_eases_at(advice, bars.session),
        horizon_days=found.horizon,
        p_up=UpOdds(value=found.up.value, baseline=found.up.baseline, has_skill=found.up.has_skill),
        p_drop=_drop_odds(found),
        p_drop_sigma=own_drop_odds(book, found.own_falls, horizon=found.horizon),
        calibration=calibration_card(book, found.record, up_has_skill=found.up.has_skill),
        return_interval=_intervals(found),
        waiting=waiting(book, found.ahead),
        first_passage=first_passages(book, found.ahead),
        regime=regime_state(book, found.ahead, bars),
        sigma_annual=book["volatility.sigma_annual"],
        risk=_risk(book),
        breakers=_breakers(book, found),
        explanation=advice.explained(),
        evidence=book.items(),
        invalidation=invalidations(advice),
        counterfactuals=counterfactuals(advice),
        reference_price_usd=_reference_price(snapshot),
        limits=LIMITS + told_breaks(book),
        expires_at=expires_at(snapshot.as_of, bars.session),
        snapshot_hash=snapshot.hash,
        code_version=code_version(),
        seed=seed,
    )


def _identity(snapshot: Snapshot, *, horizon: int, held: float, seed: int) -> str:
    """Return the id: what was asked of which bars, and which code answered."""
    asked = {"snapshot": snapshot.hash, "horizon": horizon, "seed": seed, "held": held}
    return "r-" + digest(asked | {"code": code_version()})[:24]


def _schedule(book: EvidenceBook, stance: Stance, as_of: datetime, session: Session) -> tuple[Tranche, ...]:
    if stance.action is not Action.STAGE:
        return ()
    return staged(book, size_fraction=stance.size_fraction, as_of=as_of, session=session)


def _held_back_by(advice: Advice) -> datetime | None:
    day = advice.standing.held_by
    return None if day is None else day.closed_at


def _eases_at(advice: Advice, session: Session) -> datetime | None:
    """Return the earliest close at which what is held back could stand; weekends are known, not holidays."""
    left = advice.standing.days_left
    return days_later(advice.closed_at, left, session) if left else None


def _intervals(found: Assessment) -> tuple[ReturnInterval, ...]:
    return tuple(ReturnInterval(level=each.level, low=each.low, high=each.high) for each in found.ranges)


def _has_drop_skill(found: Assessment) -> bool:
    return any(odds.has_skill for odds in found.drops if odds.horizon == KEY_DROP[1])


def _drop_odds(found: Assessment) -> tuple[DropOdds, ...]:
    return tuple(
        DropOdds(
            threshold_ratio=threshold,
            horizon_days=odds.horizon,
            value=value,
            baseline=baseline,
            has_skill=odds.has_skill,
        )
        for odds in found.drops
        for threshold, value, baseline in zip(THRESHOLDS, odds.values, odds.baselines, strict=True)
    )


def _breakers(book: EvidenceBook, found: Assessment) -> tuple[Breaker, ...]:
    return tuple(
        Breaker(
            id=breaker.id,
            is_on=breaker.is_on,
            value=breaker.value,
            threshold=breaker.threshold,
            unit="ratio",
            cap=breaker.cap,
            clears_when=breaker.clears_when,
            evidence=f"breaker.{breaker.id}",
            since=breaker.since,
            clears=clearing(book, breaker),
        )
        for breaker in found.breakers
    )


def _risk(book: EvidenceBook) -> Risk:
    """Score the risk and enter score and parts as evidence."""
    parts = score_parts(book.values)
    for part in parts:
        book.add(f"risk.{part.name}", part.score, unit=SCORE, by="risk.score")
    score = book.add("risk.score", total_score(parts), unit=SCORE, by="risk.score")
    return Risk(
        score=score,
        parts=tuple(
            RiskPart(name=part.name, score=part.score, weight=part.weight, evidence=part.evidence)
            for part in parts
        ),
    )


def _reference_price(snapshot: Snapshot) -> Decimal:
    """Return the newest close as it was read, to as many decimals as an amount can have."""
    return money_from_float(float(snapshot.bars.close[-1]), step=FINEST_STEP)
