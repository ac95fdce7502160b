"""What the analysis answers: action, size, odds, risk, evidence, and what would change it.

Stage: decision (pure). A `Recommendation` is a value: the same snapshot, horizon, seed and
code give the same bytes. Its numbers are floats rounded to a fixed precision when the value
is made, so that the last bits of a matrix product never show. It is advice, never an order:
nothing here can be sent to a venue.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from when_to_invest.decision.rounding import (
    EvidenceId,
    Figure,
    Probability,
    Ratio,
    RecommendationId,
    Score,
)
from when_to_invest.decision.track_record import CalibrationCard, OwnDropOdds
from when_to_invest.instruments import InstrumentId
from when_to_invest.money import PositiveDecimal
from when_to_invest.values import Hash, Instant, Value

_SUM_TOLERANCE: Final = 1e-5


@unique
class Action(StrEnum):
    """What to do with the budget now, from the fraction of it that is held already.

    `INVEST_NOW`: put `size_fraction` more in at once. `STAGE`: spread it over `schedule`.
    `WAIT`: nothing yet. `HOLD`: keep what is held, neither add nor sell. `REDUCE`: nothing new,
    and bring an existing position down to `size_fraction` of the budget.
    """

    INVEST_NOW = "invest_now"
    STAGE = "stage"
    WAIT = "wait"
    HOLD = "hold"
    REDUCE = "reduce"


class Predicate(Value):
    """A machine-checkable condition on a fact: `metric operator value`, in `unit`."""

    metric: EvidenceId
    operator: Literal["<", "<=", ">", ">="]
    value: Figure
    unit: str
    text: str

    def holds(self, observed: float) -> bool:
        """Whether `observed`, in `unit`, meets the condition."""
        match self.operator:
            case "<":
                return observed < self.value
            case "<=":
                return observed <= self.value
            case ">":
                return observed > self.value
            case ">=":
                return observed >= self.value


class Tranche(Value):
    """One step of a staged entry: a fraction of the budget at a date, a trigger, or both.

    With both, whichever comes first. `due_at` names an instant from which the tranche may
    be placed; `trigger` a condition on tomorrow's evidence.
    """

    fraction: Probability
    due_at: Instant | None
    trigger: Predicate | None
    text: str


class UpOdds(Value):
    """Probability that the close after `horizon_days` lies above the present one."""

    value: Probability
    baseline: Probability
    has_skill: bool


class DropOdds(Value):
    """Probability that some close within `horizon_days` lies `threshold_ratio` below now."""

    threshold_ratio: Ratio
    horizon_days: int = Field(gt=0)
    value: Probability
    baseline: Probability
    has_skill: bool


class ReturnInterval(Value):
    """Range that the simple return over the horizon should fall in, `level` of the time."""

    level: Probability
    low: Ratio
    high: Ratio


class RiskPart(Value):
    """One named component of the risk score."""

    name: str
    score: Score
    weight: Probability
    evidence: EvidenceId


class Risk(Value):
    """Risk score 0-100 with the parts it is the weighted mean of."""

    score: Score
    parts: tuple[RiskPart, ...]


class Breaker(Value):
    """A market breaker's state: it caps what may be added, it never sells by itself.

    `since`: the close with which the present unbroken spell began, none while it is off.
    `clears`: `clears_when` as a condition on tomorrow's evidence.
    """

    id: str
    is_on: bool
    value: Figure
    threshold: Figure
    unit: str
    cap: Probability
    """Largest fraction of the budget that may be added while it is on."""
    clears_when: str
    evidence: EvidenceId
    since: Instant | None = None
    clears: Predicate | None = None


class Evidence(Value):
    """One number with its origin; text may only cite numbers that stand here."""

    id: EvidenceId
    value: Figure
    unit: str
    source: str
    snapshot: Hash


class RuleStep(Value):
    """One node of the rule tree that was visited, and what it decided from which facts."""

    rule: str
    outcome: str
    text: str
    evidence: tuple[EvidenceId, ...]


class Counterfactual(Value):
    """Were all of `when` true for `days` closes in a row and the rest as it is, `action` would be advised."""

    action: Action
    size_fraction: Probability
    when: tuple[Predicate, ...] = Field(min_length=1)
    days: int = Field(default=1, gt=0)


class Waiting(Value):
    """What buying `wait_days` days later is expected to cost, in bp of the price (negative: to gain).

    `error_bps`: standard error of that expectation. `lower_odds`: probability that the price is
    lower then.
    """

    wait_days: int = Field(gt=0)
    cost_bps: Figure
    error_bps: Figure
    lower_odds: Probability
    evidence: EvidenceId


class PassageDay(Value):
    """Days by which this share of futures has fallen; null when fewer ever do."""

    share_ratio: Probability
    after_days: int | None = Field(gt=0)


class FirstPassage(Value):
    """When a close first lies `threshold_ratio` below now: `odds` within `within_days`, and how soon."""

    threshold_ratio: Ratio
    within_days: int = Field(gt=0)
    odds: Probability
    by_share: tuple[PassageDay, ...]
    evidence: EvidenceId


class RegimeState(Value):
    """Calm or turbulent: `probability` of turbulence today, from days up to now, and its usual mean.

    `since`: close of the first day of the present run. It explains; no rule reads it.
    """

    name: Literal["calm", "turbulent"]
    probability: Probability
    baseline: Probability
    since: Instant
    evidence: EvidenceId


class Recommendation(Value):
    """The answer to "is now the time, how much, and what would change that?".

    `horizon_days` counts daily bars of the instrument (sessions on an exchange, calendar
    days on a continuous market). `held_fraction` of the budget is invested already (0 also when
    nobody said), `target_fraction` once the advice is followed. `raw_action`: what the newest
    day's facts alone would say; where it is looser than `action`, the close of `held_back_by` is
    the newest that did not allow it yet, and it cannot stand before `eases_at`.
    """

    id: RecommendationId
    instrument: InstrumentId
    as_of: Instant
    data_as_of: Instant
    action: Action
    size_fraction: Probability
    schedule: tuple[Tranche, ...]
    held_fraction: Probability = 0.0
    target_fraction: Probability | None = None
    raw_action: Action | None = None
    held_back_by: Instant | None = None
    eases_at: Instant | None = None
    horizon_days: int = Field(gt=0)
    p_up: UpOdds
    p_drop: tuple[DropOdds, ...]
    p_drop_sigma: tuple[OwnDropOdds, ...] = ()
    calibration: CalibrationCard | None = None
    return_interval: tuple[ReturnInterval, ...]
    waiting: tuple[Waiting, ...] = ()
    first_passage: tuple[FirstPassage, ...] = ()
    regime: RegimeState | None = None
    sigma_annual: Ratio
    risk: Risk
    breakers: tuple[Breaker, ...]
    evidence: tuple[Evidence, ...]
    invalidation: tuple[Predicate, ...]
    counterfactuals: tuple[Counterfactual, ...] = ()
    explanation: tuple[RuleStep, ...]
    reference_price_usd: PositiveDecimal
    limits: str
    expires_at: Instant
    snapshot_hash: Hash
    code_version: Hash
    seed: int

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        """Every citation resolves, and a schedule adds up to the size."""
        known = {item.id for item in self.evidence}
        cited = {part.evidence for part in self.risk.parts}
        cited |= {breaker.evidence for breaker in self.breakers}
        cited |= {odds.evidence for odds in self.p_drop_sigma}
        cited |= {self.calibration.evidence} if self.calibration else set()
        cited |= {breaker.clears.metric for breaker in self.breakers if breaker.clears}
        cited |= {each.evidence for each in self.waiting} | {each.evidence for each in self.first_passage}
        cited |= {self.regime.evidence} if self.regime else set()
        cited |= {predicate.metric for predicate in self.invalidation}
        cited |= {predicate.metric for each in self.counterfactuals for predicate in each.when}
        cited |= {name for step in self.explanation for name in step.evidence}
        cited |= {tranche.trigger.metric for tranche in self.schedule if tranche.trigger}
        if missing := sorted(cited - known):
            raise ValueError(f"cited without evidence: {', '.join(missing)}")
        if (self.action is Action.STAGE) != bool(self.schedule):
            raise ValueError("a schedule belongs to a staged entry, and only to it")
        total = sum(tranche.fraction for tranche in self.schedule)
        if self.schedule and abs(total - self.size_fraction) > _SUM_TOLERANCE:
            raise ValueError("the tranches must add up to size_fraction")
        return self
