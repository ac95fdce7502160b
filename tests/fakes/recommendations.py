"""Recommendations with chosen figures, as the market server would send them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from when_to_invest.decision.recommendation import (
    Action,
    Breaker,
    DropOdds,
    Evidence,
    FirstPassage,
    PassageDay,
    Predicate,
    Recommendation,
    RegimeState,
    ReturnInterval,
    Risk,
    RiskPart,
    RuleStep,
    Tranche,
    UpOdds,
    Waiting,
)

AS_OF = datetime(2018, 12, 31, 23, 59, 59, tzinfo=UTC)
SNAPSHOT = "ab12" * 16
_SIZES = {Action.INVEST_NOW: 0.4, Action.STAGE: 0.3, Action.WAIT: 0.0, Action.HOLD: 0.0, Action.REDUCE: 0.1}


def _schedule(action: Action) -> tuple[Tranche, ...]:
    if action is not Action.STAGE:
        return ()
    due = (AS_OF, AS_OF + timedelta(days=30), AS_OF + timedelta(days=60))
    return tuple(
        Tranche(fraction=0.1, due_at=at, trigger=None, text="now" if at == AS_OF else "by its date")
        for at in due
    )


def recommendation(
    action: Action = Action.INVEST_NOW, *, instrument: str = "SPX", has_skill: bool = False
) -> Recommendation:
    """Return a consistent recommendation: 40 % now, 30 % in three steps, nothing, or down to 10 %."""
    facts = {
        "trend.sma200": (2741.39, "usd"),
        "chart.close": (2506.85, "usd"),
        "risk.volatility": (61.5, "score"),
        "waiting.d21.cost_bps": (27.81, "bps"),
        "waiting.d21.error_bps": (28.52, "bps"),
        "first_passage.f05.odds": (0.2686, "probability"),
        "first_passage.f05.q10": (22.0, "days"),
        "regime.turbulent": (0.9993, "probability"),
        "regime.turbulent.baseline": (0.2707, "probability"),
    }
    return Recommendation(
        id="r-0123456789abcdef01234567",
        instrument=instrument,
        as_of=AS_OF,
        data_as_of=datetime(2018, 12, 31, 21, tzinfo=UTC),
        action=action,
        size_fraction=_SIZES[action],
        schedule=_schedule(action),
        horizon_days=21,
        p_up=UpOdds(value=0.6123, baseline=0.6089, has_skill=has_skill),
        p_drop=(
            DropOdds(threshold_ratio=0.05, horizon_days=21, value=0.1234, baseline=0.197, has_skill=True),
        ),
        return_interval=(ReturnInterval(level=0.8, low=-0.0716, high=0.0843),),
        waiting=(
            Waiting(
                wait_days=21,
                cost_bps=27.81,
                error_bps=28.52,
                lower_odds=0.3895,
                evidence="waiting.d21.cost_bps",
            ),
        ),
        first_passage=(
            FirstPassage(
                threshold_ratio=0.05,
                within_days=63,
                odds=0.2686,
                by_share=(
                    PassageDay(share_ratio=0.1, after_days=22),
                    PassageDay(share_ratio=0.5, after_days=None),
                ),
                evidence="first_passage.f05.odds",
            ),
        ),
        regime=RegimeState(
            name="turbulent",
            probability=0.9993,
            baseline=0.2707,
            since=datetime(2018, 12, 14, 21, tzinfo=UTC),
            evidence="regime.turbulent",
        ),
        sigma_annual=0.1834,
        risk=Risk(
            score=61.5,
            parts=(RiskPart(name="volatility", score=61.5, weight=1.0, evidence="risk.volatility"),),
        ),
        breakers=(
            Breaker(
                id="drawdown",
                is_on=False,
                value=-0.144,
                threshold=-0.2,
                unit="ratio",
                cap=0.5,
                clears_when="the fall from the peak is smaller",
                evidence="chart.close",
            ),
        ),
        evidence=tuple(
            Evidence(id=name, value=value, unit=unit, source="test", snapshot=SNAPSHOT)
            for name, (value, unit) in facts.items()
        ),
        invalidation=(
            Predicate(
                metric="chart.close", operator="<", value=2440.5, unit="usd", text="the trend turns down"
            ),
        ),
        explanation=(
            RuleStep(rule="trend", outcome="up", text="The close is above its 200-day average.", evidence=()),
        ),
        reference_price_usd=Decimal("2506.85"),
        limits="Odds come from past frequencies.",
        expires_at=datetime(2019, 1, 3, 23, 59, 59, tzinfo=UTC),
        snapshot_hash=SNAPSHOT,
        code_version="cd34" * 16,
        seed=0,
    )
