"""How an order is to be worked: the plans that a proposal may carry, sealed with it.

Stage: beside the intent, from the proposal to the last child. A plan only says how the order's
own quantity is divided over time; it never gives more quantity, nor a worse price, than the order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum, unique
from typing import Annotated, Final, Literal, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from when_to_invest.money import NonNegativeDecimal, PositiveDecimal, decimal_text
from when_to_invest.values import Value

LONGEST_S: Final = 86_400
MOST_SLICES: Final = 500
LARGEST_COLLAR_BPS: Final = Decimal(1_000)
LARGEST_PARTICIPATION_RATIO: Final = Decimal("0.3")
MOST_URGENCY: Final = Decimal(20)
IMMEDIATE_S: Final = 60
"""How long the one order of an immediate plan may take to reach its venue."""


def _at_most(largest: Decimal) -> Callable[[Decimal], Decimal]:
    def check(value: Decimal) -> Decimal:
        if value > largest:
            raise ValueError(f"must be at most {decimal_text(largest)}")
        return value

    return check


Seconds = Annotated[int, Field(ge=1, le=LONGEST_S)]
SliceCount = Annotated[int, Field(ge=1, le=MOST_SLICES)]
CollarBps = Annotated[PositiveDecimal, AfterValidator(_at_most(LARGEST_COLLAR_BPS))]
ParticipationRatio = Annotated[PositiveDecimal, AfterValidator(_at_most(LARGEST_PARTICIPATION_RATIO))]
Urgency = Annotated[NonNegativeDecimal, AfterValidator(_at_most(MOST_URGENCY))]
OffsetBps = Annotated[NonNegativeDecimal, AfterValidator(_at_most(LARGEST_COLLAR_BPS))]
VolumeCurve = Annotated[tuple[NonNegativeDecimal, ...], Field(min_length=1, max_length=MOST_SLICES)]


class _Plan(Value):
    collar_bps: CollarBps = Decimal(100)
    """How far beyond the price at arrival any child may be priced; the order's limit holds as well."""


class ImmediatePlan(_Plan):
    """One order at once, at the collar's end or the limit; what does not trade then is cancelled."""

    kind: Literal["immediate"] = "immediate"

    @property
    def duration_s(self) -> int:
        """Return how long it may take, in seconds."""
        return IMMEDIATE_S


def _demand_a_second_each(*, slices: int, duration_s: int) -> None:
    if slices > duration_s:
        raise ValueError("a slice takes at least one second")


class _EvenPlan(_Plan):
    duration_s: Seconds
    slices: SliceCount

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        _demand_a_second_each(slices=self.slices, duration_s=self.duration_s)
        return self


class TwapPlan(_EvenPlan):
    """The same quantity in each of `slices` equal stretches of time."""

    kind: Literal["twap"] = "twap"


class ShortfallPlan(_EvenPlan):
    """Faster at first, by how much waiting is feared (Almgren and Chriss 2000).

    `urgency` is their kappa times the duration: 0 is an even schedule, 20 is nearly all at once.
    """

    kind: Literal["shortfall"] = "shortfall"
    urgency: Urgency


class VwapPlan(_Plan):
    """Quantity in proportion to the volume expected in each of equal stretches of time."""

    kind: Literal["vwap"] = "vwap"
    duration_s: Seconds
    volume_curve: VolumeCurve
    """Weights, one a stretch; only their ratios count."""

    @property
    def slices(self) -> int:
        """Return over how many equal stretches of time it is spread."""
        return len(self.volume_curve)

    @model_validator(mode="after")
    def _expects_some_volume(self) -> Self:
        if not any(self.volume_curve):
            raise ValueError("a volume curve needs a weight above zero")
        _demand_a_second_each(slices=self.slices, duration_s=self.duration_s)
        return self


class PovPlan(_Plan):
    """No more than a share of what the market trades meanwhile."""

    kind: Literal["pov"] = "pov"
    duration_s: Seconds
    participation_ratio: ParticipationRatio


class IcebergPlan(_Plan):
    """Rests at its limit, showing at most `display_quantity` (base units) at a time."""

    kind: Literal["iceberg"] = "iceberg"
    display_quantity: PositiveDecimal
    duration_s: Seconds


class PegPlan(_Plan):
    """Rests `offset_bps` behind the best price of its own side, and follows it."""

    kind: Literal["peg"] = "peg"
    duration_s: Seconds
    offset_bps: OffsetBps = Decimal(0)
    reprice_after_s: Seconds = 5
    """How long an order rests at least before it is moved."""
    most_reprices: int = Field(default=50, ge=0, le=MOST_SLICES)


Execution = Annotated[
    ImmediatePlan | TwapPlan | VwapPlan | PovPlan | IcebergPlan | PegPlan | ShortfallPlan,
    Field(discriminator="kind"),
]
WORKED_KINDS: Final = frozenset({"immediate", "twap", "vwap", "shortfall", "pov", "iceberg", "peg"})
"""The kinds that the executor works orders by; the gate refuses an order with another plan."""
SlicedPlan = TwapPlan | VwapPlan | ShortfallPlan
"""The plans that know their schedule from the start."""


def fits(execution: Execution, quantity: Decimal) -> bool:
    """Return whether a plan can work `quantity` base units: an iceberg has at most 500 parts."""
    if not isinstance(execution, IcebergPlan):
        return True
    shown = execution.display_quantity
    return shown <= quantity <= shown * MOST_SLICES


@unique
class Ending(StrEnum):
    """Why a plan is over.

    `FILLED`: all of it traded. `WINDOW_ENDED`: its time was up. `CANCELLED`: somebody asked.
    `UNFILLED`: its rest can be sent no more. `DECLINED`: the venue took no order of it.
    `EXHAUSTED`: it used up its orders. `REFUSED`: its rest passed no judgement any more.
    """

    FILLED = "filled"
    WINDOW_ENDED = "window_ended"
    CANCELLED = "cancelled"
    UNFILLED = "unfilled"
    DECLINED = "declined"
    EXHAUSTED = "exhausted"
    REFUSED = "refused"


def describe_execution(execution: Execution) -> str:
    """Return the plan in one line that a person can check before signing."""
    collar = f"collar {decimal_text(execution.collar_bps)} bps"
    return f"{execution.kind.upper()}: {_pace(execution)}, {collar}"


def _pace(plan: Execution) -> str:
    match plan:
        case ImmediatePlan():
            pace = "one order, the rest cancelled"
        case TwapPlan():
            pace = f"{plan.slices} equal slices"
        case VwapPlan():
            pace = f"{plan.slices} slices by expected volume"
        case ShortfallPlan():
            pace = f"{plan.slices} slices, urgency {decimal_text(plan.urgency)}"
        case PovPlan():
            pace = f"at most {decimal_text(plan.participation_ratio)} of the volume"
        case IcebergPlan():
            pace = f"showing {decimal_text(plan.display_quantity)} at a time"
        case PegPlan():
            behind = f"{decimal_text(plan.offset_bps)} bps behind the best price"
            pace = f"{behind}, moved at most {plan.most_reprices} times"
        case _:
            assert_never(plan)
    return f"{pace} within {plan.duration_s} s"
