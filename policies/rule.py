"""What a rule is: an id, what it guards, where it comes from, and one pure check.

Stage: gate. A rule objects with a `Reason` or is silent; it never approves, and never
returns anything a later rule could use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Generic, TypeVar

from policies.facts import Facts
from policies.limits import Limits
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

IntentT = TypeVar("IntentT", bound=OrderIntent | ChainIntent)

MISSING_FACT: Final = "missing_fact"
MISSING_FACT_MEANING: Final = "something the rule must know is unknown, so it refuses"


@dataclass(frozen=True, slots=True)
class Rule(Generic[IntentT]):
    """A hard rule: what it objects to cannot happen, whoever signs."""

    id: str
    guards: str
    """What would go wrong without it, in one line."""
    source: str
    """Law, incident or practice it comes from."""
    codes: Mapping[str, str]
    """Every reason code it may give, with its meaning, besides `missing_fact`."""
    check: Callable[[IntentT, Facts, Limits], Reason | None]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold rule's objection, and how many people lift it."""

    reason: Reason
    approvals_needed: int


@dataclass(frozen=True, slots=True)
class HoldRule(Generic[IntentT]):
    """A rule whose objection people can lift with signatures."""

    id: str
    guards: str
    source: str
    codes: Mapping[str, str]
    check: Callable[[IntentT, Facts, Limits], Hold | None]


def missing(rule: str, fact: str, *, fix: str) -> Reason:
    """Return the refusal of a rule that lacks `fact`."""
    return Reason(
        code=MISSING_FACT, rule=rule, limit="known", attempted="unknown", overage=fact, unit="", fix=fix
    )


def over_cap(rule: str, code: str, *, limit: Decimal, attempted: Decimal, unit: str, fix: str) -> Reason:
    """Return the refusal of an amount above its cap, with the exact overage."""
    return Reason(
        code=code,
        rule=rule,
        limit=decimal_text(limit),
        attempted=decimal_text(attempted),
        overage=decimal_text(attempted - limit),
        unit=unit,
        fix=fix,
    )
