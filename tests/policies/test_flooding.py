"""Whoever asks without end, or asks and takes it back, stops nobody but himself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.activity import turnover_24h_usd
from policies.limits import HARD_LIMITS
from tests.policies.floor import INSTRUMENTS, Floor
from tests.strategies.situations import D
from tests.strategies.spoilers import sides
from tests.when_to_invest.samples import funded
from when_to_invest.intents import Side
from when_to_invest.verdicts import Approved, Refused, Verdict

NAMES = ("agent", "another", "risk")
JUNK: list[dict[str, Any]] = [
    {"limit_price_usd": D(150)},
    {"quantity": D(1_000)},
    {"quantity": D(150), "limit_price_usd": D(100)},
    {"side": Side.SELL, "quantity": D("999.99")},
]
"""Three that are refused, and one that waits for people."""
small = st.integers(10, 40).map(lambda n: D(n) / 10)
moves = st.fixed_dictionaries(
    {
        "wait_s": st.sampled_from([0, 0, 1, 5, 29, 31, 61, 601]),
        "proposer": st.sampled_from(NAMES),
        "side": sides,
        "instrument": st.sampled_from(INSTRUMENTS[:2]),
        "quantity": small,
        "settles": st.sampled_from([None, "filled", "part", "cancelled"]),
    }
)


def said(verdict: Verdict) -> Any:
    return "approved" if isinstance(verdict, Approved) else verdict.reasons


def play(told: list[dict[str, Any]], junk: list[list[dict[str, Any]]]) -> list[Any]:
    """Return what everybody but the flooder was told, when the flooder asks before each of them."""
    floor, heard = Floor(), []
    for move, asked_before in zip(told, junk, strict=True):
        ask = dict(move)
        floor.seconds += ask.pop("wait_s")
        settles = ask.pop("settles")
        for ask_before in asked_before:
            flood = {"limit_price_usd": D(100), "proposer": "flooder", "quantity": D(1)} | ask_before
            assert not isinstance(floor.propose(**flood), Approved)
        heard.append(said(floor.propose(limit_price_usd=D(100), **ask)))
        if settles is not None:
            floor.settle(0, settles)
    return heard


@given(st.lists(moves, min_size=1, max_size=25), st.data())
def test_what_is_asked_for_in_vain_changes_no_other_callers_verdict(
    told: list[dict[str, Any]], data: st.DataObject
) -> None:
    junk = [data.draw(st.lists(st.sampled_from(JUNK), max_size=15)) for _ in told]
    assert play(told, junk) == play(told, [[] for _ in told])


@pytest.mark.proof
@given(st.lists(moves | moves.map(lambda move: move | {"wait_s": 0}), min_size=15, max_size=120))
def test_whoever_proposes_no_more_orders_go_to_an_instrument_in_a_window(told: list[dict[str, Any]]) -> None:
    floor = Floor()
    for move in told:
        ask = dict(move)
        floor.seconds += ask.pop("wait_s")
        settles = ask.pop("settles")
        floor.propose(limit_price_usd=D(100), **ask)
        if settles is not None:
            floor.settle(0, settles)
        assert floor.broken_promises() == []


def test_many_callers_together_send_no_more_than_one_may() -> None:
    floor = Floor()
    for n in range(40):
        floor.seconds += 1
        floor.propose(limit_price_usd=D(100), quantity=D(1) + D(n) / 100, proposer=f"caller-{n % 8}")
    assert len(floor.approved) == HARD_LIMITS.max_messages_per_minute


def test_a_flooder_is_refused_and_a_seller_is_not() -> None:
    floor = Floor()
    floor.propose(limit_price_usd=D(100), quantity=D(50), proposer="another")
    floor.settle(0, "filled")
    for n in range(600):
        floor.seconds += 5
        verdict = floor.propose(limit_price_usd=D(150), quantity=D(1) + D(n) / 100)
    assert isinstance(verdict, Refused)
    assert {"message_rate_exceeded", "proposer_rate_exceeded"} <= {reason.code for reason in verdict.reasons}
    sale = {"side": Side.SELL, "quantity": D(40), "limit_price_usd": D(100)}
    assert isinstance(floor.propose(**sale, proposer="another"), Approved)


def ask_and_take_back(floor: Floor, *, times: int) -> None:
    for n in range(times):
        floor.seconds += 420
        name = INSTRUMENTS[n % len(INSTRUMENTS)]
        verdict = floor.propose(limit_price_usd=D(99), quantity=D(90) + D(n) / 100, instrument=name)
        assert isinstance(verdict, Approved), n
        floor.settle(0, "cancelled")


def turnover_usd(floor: Floor) -> Decimal:
    now = funded().at.fromtimestamp(funded().at.timestamp() + floor.seconds, tz=funded().at.tzinfo)
    return turnover_24h_usd(floor.book, now=now, besides="")


def test_asking_and_taking_back_all_day_uses_up_nobodys_turnover() -> None:
    floor = Floor()
    ask_and_take_back(floor, times=60)
    assert turnover_usd(floor) == 0
    assert isinstance(floor.propose(limit_price_usd=D(100), quantity=D(95), proposer="another"), Approved)


def test_taking_back_too_quickly_runs_into_the_throttle() -> None:
    floor = Floor()
    for n in range(60):
        floor.seconds += 20
        floor.propose(limit_price_usd=D(100), quantity=D(1) + D(n) / 100)
        floor.settle(0, "cancelled")
    assert len(floor.approved) == HARD_LIMITS.max_repeated_executions


def test_what_a_taken_back_order_has_traded_stays_turnover() -> None:
    floor = Floor()
    floor.propose(limit_price_usd=D(100), quantity=D(90))
    floor.settle(0, "part")
    assert turnover_usd(floor) == D(4_500)


@pytest.mark.parametrize("how", ["filled", "lost", None])
def test_without_signatures_no_more_of_it_is_used_up_than_needs_none(how: str | None) -> None:
    floor = Floor()
    for n in range(120):
        floor.seconds += 420
        ask = {"instrument": INSTRUMENTS[n % len(INSTRUMENTS)], "side": Side.SELL if n % 3 else Side.BUY}
        floor.propose(limit_price_usd=D(100), quantity=D(10) + D(n) / 100, **ask)
        if how is not None:
            floor.settle(0, how)
    assert D(4_000) < turnover_usd(floor) <= HARD_LIMITS.approval_total_24h_usd
