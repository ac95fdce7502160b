"""Hypothesis strategies for the gate: situations spoilt in a few ways, and tighter limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from policies.limits import HARD_LIMITS, Limits, operator_of, tighten
from policies.tightening import LimitSetting, Tighten
from tests.strategies.executions import executions
from tests.strategies.situations import (
    CALM,
    DECISION,
    NOW,
    D,
    Situation,
    book,
    other_decision,
    price,
    proposal,
    reservation,
    sealed,
    session,
    spx,
    traded,
    worth,
)
from when_to_invest.breakers import TradingState
from when_to_invest.execution import fits
from when_to_invest.holdings import Position
from when_to_invest.instruments import Session
from when_to_invest.intents import Side
from when_to_invest.market import ReferencePrice
from when_to_invest.orders import OrderState
from when_to_invest.recent import LastPrint
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus

sides = st.sampled_from(Side)
lots = st.integers(1, 60_000).map(lambda n: D(n) / 100)
"""Quantities in whole lots of 0.01, from dust to more than any cap allows at 100 USD."""
round_lots = st.integers(1, 28).map(lambda n: D(n) * 10)
small_lots = st.integers(1, 9_000).map(lambda n: D(n) / 100)
too_many = st.integers(34_000, 90_000).map(lambda n: D(n) / 100)
"""More than any cap allows from 90 USD on."""
odd_amounts = st.decimals("0.000000000000000001", "1000000000000000", places=18)
"""Any positive amount an intent can carry, in 18 decimals."""
near_prices = st.integers(9_000, 11_000).map(lambda n: D(n) / 100)
accounts = st.sampled_from(["main", "second"])
names = st.sampled_from(["SPX", "IXIC", "GLD"])
seconds = st.floats(0, 100_000, allow_nan=False)


@st.composite
def reservations(draw: st.DrawFn) -> dict[str, Any]:
    owners = draw(st.lists(st.integers(0, 4), unique=True, max_size=4))
    return {
        DECISION if n == 0 else other_decision(n): reservation(
            draw(small_lots),
            draw(near_prices),
            instrument=draw(names),
            side=draw(sides),
            account=draw(accounts),
        )
        for n in owners
    }


@st.composite
def proposals(draw: st.DrawFn) -> list[Any]:
    ages = sorted(draw(st.lists(seconds, max_size=25)), reverse=True)
    told = [
        proposal(
            age,
            decision_id=other_decision(100 + n),
            proposer=draw(st.sampled_from(["agent", "another"])),
            instrument=draw(names),
            side=draw(sides),
            quantity=draw(st.sampled_from([D(10), D("7.77")])),
        )
        for n, age in enumerate(ages)
    ]
    if told and draw(st.booleans()):
        own = draw(st.integers(0, len(told) - 1))
        told[own] = proposal((NOW - told[own].at).total_seconds(), decision_id=DECISION, proposer="agent")
    return told


@st.composite
def sealed_orders(draw: st.DrawFn) -> list[Any]:
    """Return earlier sealed orders, the own one among them perhaps, oldest first."""
    ages = sorted(draw(st.lists(st.floats(0, 26) | st.floats(0, 0.04), max_size=25)), reverse=True)
    numbers = draw(st.permutations(range(200, 200 + len(ages))))
    few = st.sampled_from([D(0), D(1), D(30), D(60)])
    told = [
        sealed(
            n,
            draw(few),
            hours_ago=age,
            account=draw(accounts),
            instrument=draw(names),
            side=draw(sides),
            limit_price_usd=draw(near_prices),
            filled_usd=draw(few) * 100,
            signatures=draw(st.integers(0, 2)),
            is_rejected=draw(st.integers(0, 5)) == 0,
        )
        for n, age in zip(numbers, ages, strict=True)
    ]
    if told and draw(st.booleans()):
        place = draw(st.integers(0, len(told) - 1))
        told[place] = told[place]._replace(decision_id=DECISION)
    return told


@st.composite
def executed_orders(draw: st.DrawFn) -> list[Any]:
    return [
        traded(draw(st.integers(0, 60_000)), n, hours_ago=draw(st.floats(0, 30)))
        for n in range(draw(st.integers(0, 3)))
    ]


def _proposed(told: list[Any], orders: list[Any], draw: st.DrawFn) -> list[Any]:
    """Return the sealed orders, some of them those that were proposed."""
    own = [item.decision_id for item in orders]
    free = [item.decision_id for item in told if item.decision_id not in own]
    proposed = draw(st.permutations(free))[: draw(st.integers(0, len(orders)))]
    names = iter(proposed)
    return [
        item if item.decision_id == DECISION else item._replace(decision_id=next(names, item.decision_id))
        for item in orders
    ]


@st.composite
def worths(draw: st.DrawFn) -> Any:
    start = draw(st.integers(1, 260_000))
    days_old = draw(st.sampled_from([0, 0, 0, 1, 4, 6]))
    peak = start + draw(st.integers(0, 60_000))
    return worth(start, peak_usd=peak, age_s=days_old * 86_400 + 60)


@st.composite
def books(draw: st.DrawFn) -> Any:
    """Return any account book: cash, holdings, reservations, messages, turnover, states."""
    reserved = draw(reservations())
    told = draw(proposals())
    made = book(
        cash_usd=draw(st.none() | st.integers(0, 200_000).map(Decimal)),
        held=draw(st.dictionaries(names, small_lots, max_size=3)),
        reserved=reserved,
        proposals=told,
        sealed_before=[*draw(executed_orders()), *_proposed(told, draw(sealed_orders()), draw)],
        was_worth=draw(st.none() | worths()),
        trading_states=draw(
            st.dictionaries(
                st.sampled_from(
                    ["system", "account:main", "venue:paper", "instrument:SPX", "instrument:GLD"]
                ),
                st.sampled_from(TradingState),
                max_size=1,
            )
        ),
        refused={item.decision_id for item in told if draw(st.booleans())},
    )
    if draw(st.booleans()):
        scope = draw(st.sampled_from(["system", "account:second", "venue:paper", "instrument:SPX"]))
        made.standing.resumed_at[scope] = NOW - timedelta(minutes=draw(st.integers(0, 70)))
    if draw(st.booleans()):
        made.positions["second", "SPX"] = Position(draw(small_lots), D(0))
    if draw(st.booleans()):
        printed = LastPrint(draw(_amounts), NOW - timedelta(hours=draw(st.integers(0, 26))))
        made.recent.prints["paper", "SPX"] = printed
    if draw(st.booleans()):
        made.recent.venue_statuses["paper"] = draw(st.sampled_from(TradingStatus))
    for n, owner in enumerate(reserved):
        made.orders_of[owner] = [f"o-{n}"]
        made.order_states[f"o-{n}"] = draw(
            st.sampled_from(
                [OrderState.ACKNOWLEDGED, OrderState.UNKNOWN, OrderState.QUARANTINED, OrderState.ABSENT]
            )
            if draw(st.integers(0, 3)) == 0
            else st.just(OrderState.ACKNOWLEDGED)
        )
    return made


def _reference(usd: Any, age: float) -> ReferencePrice:
    return ReferencePrice(usd, NOW - timedelta(seconds=age), "recorded", CALM)


_amounts = st.integers(60, 145).map(Decimal)


@st.composite
def sessions(draw: st.DrawFn) -> Any:
    """Return how far a session went: calm, wild, wilder than anything, or no range at all."""
    low, high = sorted((draw(_amounts), draw(_amounts)))
    return session(
        low,
        high,
        before=draw(st.sampled_from([D(100), D(2), D("0.5"), D("NaN")]) | _amounts),
        volatility=draw(st.sampled_from([D("0.15"), D("0.41"), D("0.65"), D("2.1"), D("NaN"), D(-1)])),
        session=draw(st.sampled_from(Session)),
    )


def wild() -> st.SearchStrategy[Any]:
    """Return references after a session of any kind."""
    return st.builds(
        lambda went, age: price(age_s=age, went=went), st.none() | sessions(), st.integers(0, 90_000)
    )


unusable_prices = st.sampled_from(
    [None, *(_reference(usd, 60) for usd in (D("NaN"), D("sNaN"), D(0), D(-1), D("Infinity"), 100.0, None))]
) | st.sampled_from(
    [
        ReferencePrice(D(100), NOW.replace(tzinfo=None), "recorded"),
        ReferencePrice(D(100), NOW - timedelta(seconds=60), ""),
        ReferencePrice(D("1e16"), NOW - timedelta(seconds=60), "recorded"),
    ]
)
"""References that are no price: missing, NaN, zero, negative, infinite, a float, undated, unsourced."""
too_old_or_early = st.sampled_from(
    [price(age_s=HARD_LIMITS.max_reference_age_s + 1), price(age_s=-HARD_LIMITS.max_clock_skew_s - 1)]
)
marks = st.fixed_dictionaries({}, optional={name: near_prices.map(price) for name in ("IXIC", "GLD")})

Spoiler = Callable[[Situation], Situation]


def _ask(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Spoiler]:
    return values.map(lambda value: lambda s: _asking(s, {name: value}))


def _asking(situation: Situation, changes: dict[str, Any]) -> Situation:
    """Ask otherwise; a plan that does not fit the quantity asked for is no intent, so it is left out."""
    wanted = dict(situation.intent) | changes
    if wanted["execution"] is not None and not fits(wanted["execution"], wanted["quantity"]):
        changes = changes | {"execution": None}
    return situation.asking(**changes)


def _but(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Spoiler]:
    return values.map(lambda value: lambda s: s.but(**{name: value}))


_instruments = st.sampled_from(
    [
        None,
        spx(is_tradable=False),
        spx(lot_size=D(1)),
        spx(tick_size_usd=D("0.25")),
        spx(min_notional_usd=D(500)),
    ]
)
_usual = st.one_of(
    _ask("side", sides),
    _ask("quantity", lots),
    _ask("quantity", round_lots),
    _ask("limit_price_usd", near_prices),
    _ask("account", accounts),
    _but("approvers", st.frozensets(st.sampled_from(["alice", "bob", "agent", "a-gent", "a_gent_"]))),
    _but("reference", st.builds(_reference, near_prices, st.integers(-20, 500_000))),
    _but("recommendation_expires_at", st.sampled_from([NOW, NOW + timedelta(seconds=1)])),
    _but("is_sealed", st.just(True)),
    _ask("recommendation_id", st.just("r-" + "1" * 24)),
)
_unusual = st.one_of(
    _ask("quantity", odd_amounts),
    _ask("limit_price_usd", odd_amounts),
    _ask("venue", st.just("elsewhere")),
    _ask("execution", executions(D(10))),
    _ask("instrument", st.sampled_from(["IXIC", "DOGE"])),
    _ask("mode", st.sampled_from(Mode)),
    _ask("proposed_at", st.integers(-100, 100_000).map(lambda n: NOW - timedelta(seconds=n))),
    _but("mode", st.sampled_from(Mode)),
    _but("instrument", _instruments),
    _but("reference", unusable_prices),
    _but("reference", wild()),
    _but("index", wild() | unusable_prices),
    _but("marks", marks),
    _but("marks", st.just({name: price(age_s=10**6) for name in ("IXIC", "GLD")})),
)
spoilers = st.integers(0, 5).flatmap(lambda n: _usual if n else _unusual)
known_marks = {name: price() for name in ("IXIC", "GLD")}


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Return the plain situation with up to four things changed; about a third pass."""
    found = Situation(marks=known_marks)
    if draw(st.booleans()):
        found = found.but(book=draw(books()))
    for spoil in draw(st.lists(spoilers, max_size=4)):
        found = spoil(found)
    return found


@st.composite
def passable(draw: st.DrawFn) -> Situation:
    """Return situations that differ in size, price and side, and often pass."""
    held = draw(small_lots)
    return (
        Situation(marks=known_marks)
        .knowing(held={"SPX": held}, cash_usd=draw(st.integers(1, 100_000).map(Decimal)))
        .asking(
            side=draw(sides), quantity=draw(small_lots), limit_price_usd=D(100) + D(draw(st.integers(-2, 2)))
        )
    )


@st.composite
def _setting(draw: st.DrawFn, limits: Limits, name: str) -> LimitSetting:
    present = getattr(limits, name)
    operator = operator_of(name)
    if operator is Tighten.UNION:
        return [*present, *draw(st.sets(names))]
    if operator is Tighten.INTERSECTION:
        return [item for item in sorted(present) if draw(st.integers(0, 3))]
    share = draw(st.integers(0, 1000))
    if operator is Tighten.LARGER:
        ceiling = 86_400 if isinstance(present, int) else 10_000
        number = present + (ceiling - present) * share // 1000
    else:
        number = present * share // 1000
    return int(number) if isinstance(present, int) else str(number)


@st.composite
def tightened(draw: st.DrawFn, limits: Limits = HARD_LIMITS) -> Limits:
    """Return `limits` with up to three of them tightened."""
    chosen = draw(st.sets(st.sampled_from(sorted(Limits.model_fields)), max_size=3))
    return tighten(limits, {name: draw(_setting(limits, name)) for name in sorted(chosen)})
