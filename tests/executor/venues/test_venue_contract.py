"""What every venue promises, run on the fake and on the paper venue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest

from executor.venues.paper import PaperVenue
from executor.venues.port import (
    Accepted,
    Declined,
    NewOrder,
    OrderRef,
    Unknown,
    VenueStatus,
    send,
)
from home.clock import FixedClock
from home.settings import PaperSettings
from tests.executor.by_hand import ByHand, run
from tests.fakes.fake_market import AFTER_MONDAY, TUESDAY_CLOSE, TUESDAY_OPEN, FakeMarket, daily_bar
from tests.fakes.fake_venue import FakeVenue
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.values import Mode


class Stage(Protocol):
    """A venue and a hand on its market."""

    venue: Any
    """A venue by hand."""

    def let_it_fill(self, client_order_id: str) -> None: ...

    def let_it_expire(self, client_order_id: str) -> None: ...


class FakeStage:
    def __init__(self) -> None:
        self.venue = ByHand(FakeVenue())

    def let_it_fill(self, client_order_id: str) -> None:
        self.venue.trade(client_order_id, Decimal(10))

    def let_it_expire(self, client_order_id: str) -> None:
        self.venue.expire(client_order_id)


class PaperStage:
    def __init__(self, path: Path) -> None:
        self.clock = FixedClock(AFTER_MONDAY)
        self.market = FakeMarket()
        self.venue = ByHand(
            PaperVenue(path, mode=Mode.REPLAY, prices=self.market, clock=self.clock, settings=PaperSettings())
        )

    def let_it_fill(self, client_order_id: str) -> None:
        self.clock.move_to(TUESDAY_OPEN)

    def let_it_expire(self, client_order_id: str) -> None:
        self.market.bars["SPX"] = [daily_bar(1, "200", "201", "199", "200")]
        self.clock.move_to(TUESDAY_CLOSE)


@pytest.fixture(params=["fake", "paper"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    paper = PaperStage(tmp_path / "book.sqlite")
    yield paper
    paper.venue.close()


def ref(name: str) -> OrderRef:
    return OrderRef(name, "SPX")


def order(name: str = "w1", quantity: str = "10") -> NewOrder:
    return NewOrder(
        client_order_id=name,
        instrument="SPX",
        side=Side.BUY,
        quantity=Decimal(quantity),
        limit_price_usd=Decimal("101.00"),
        time_in_force=TimeInForce.DAY,
        valid_until=AFTER_MONDAY + timedelta(days=30),
    )


def test_it_says_what_it_is(stage: Stage) -> None:
    assert stage.venue.profile.name == "paper"
    assert stage.venue.profile.mode is Mode.REPLAY


def test_an_accepted_order_is_found_under_its_id(stage: Stage) -> None:
    answer = stage.venue.submit(order())
    assert stage.venue.find(ref("w1")) == answer
    assert (answer.client_order_id, answer.status, answer.filled_quantity) == ("w1", VenueStatus.WORKING, 0)


def test_an_unknown_id_is_found_nowhere(stage: Stage) -> None:
    assert stage.venue.find(ref("w1")) is None
    assert stage.venue.trades(ref("w1")) == ()


def test_a_second_submit_of_one_id_is_ambiguous_and_changes_nothing(stage: Stage) -> None:
    first = run(send(stage.venue.real, order()))
    assert isinstance(first, Accepted)
    assert isinstance(run(send(stage.venue.real, order(quantity="20"))), Unknown)
    stage.let_it_fill("w1")
    assert [trade.quantity for trade in stage.venue.trades(ref("w1"))] == [Decimal(10)]


def test_a_declined_order_does_not_exist(stage: Stage) -> None:
    assert isinstance(run(send(stage.venue.real, order(quantity="0"))), Declined)
    assert stage.venue.find(ref("w1")) is None


def test_trades_are_the_same_on_every_call(stage: Stage) -> None:
    stage.venue.submit(order())
    stage.let_it_fill("w1")
    first = stage.venue.trades(ref("w1"))
    assert stage.venue.trades(ref("w1")) == first
    assert len({trade.trade_id for trade in first}) == len(first) == 1


def test_a_filled_order_says_how_much(stage: Stage) -> None:
    stage.venue.submit(order())
    stage.let_it_fill("w1")
    found = stage.venue.find(ref("w1"))
    assert found is not None
    assert (found.status, found.filled_quantity) == (VenueStatus.FILLED, Decimal(10))


def test_trade_ids_of_two_orders_differ(stage: Stage) -> None:
    stage.venue.submit(order("w1"))
    stage.venue.submit(order("w2"))
    stage.let_it_fill("w1")
    stage.let_it_fill("w2")
    ids = [trade.trade_id for name in ("w1", "w2") for trade in stage.venue.trades(ref(name))]
    assert len(set(ids)) == 2


def test_a_cancelled_order_stays_cancelled(stage: Stage) -> None:
    stage.venue.submit(order())
    stage.venue.cancel(ref("w1"))
    stage.venue.cancel(ref("w1"))
    found = stage.venue.find(ref("w1"))
    assert found is not None
    assert found.status is VenueStatus.CANCELLED


def test_cancelling_what_ended_or_never_was_is_no_error(stage: Stage) -> None:
    stage.venue.cancel(ref("never"))
    stage.venue.submit(order())
    stage.let_it_fill("w1")
    stage.venue.cancel(ref("w1"))
    found = stage.venue.find(ref("w1"))
    assert found is not None
    assert found.status is VenueStatus.FILLED


def test_an_order_that_did_not_trade_expires(stage: Stage) -> None:
    stage.venue.submit(order())
    stage.let_it_expire("w1")
    found = stage.venue.find(ref("w1"))
    assert found is not None
    assert (found.status, found.filled_quantity) == (VenueStatus.EXPIRED, 0)
