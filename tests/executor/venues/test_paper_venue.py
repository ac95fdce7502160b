"""The paper venue keeps its own durable book and plays a remote party honestly."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from executor.venues.paper import PaperVenue
from executor.venues.port import (
    NewOrder,
    OrderDeclinedError,
    OrderRef,
    OrderUnsentError,
    OutcomeUnknownError,
    VenueStatus,
)
from home.clock import FixedClock
from home.settings import PaperSettings
from tests.executor.by_hand import ByHand
from tests.fakes.fake_market import AFTER_MONDAY, SPX, TUESDAY_OPEN, FakeMarket
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.values import Mode


class Desk:
    """A paper venue with the clock, market and pauses in hand."""

    def __init__(self, path: Path, *, ack_delay_s: float = 0.0) -> None:
        self.path = path
        self.clock = FixedClock(AFTER_MONDAY)
        self.market = FakeMarket()
        self.pauses: list[float] = []
        self.settings = PaperSettings(ack_delay_s=ack_delay_s)
        self.venue = self.open()

    def open(self, mode: Mode = Mode.REPLAY) -> ByHand:
        return ByHand(
            PaperVenue(
                self.path,
                mode=mode,
                prices=self.market,
                clock=self.clock,
                settings=self.settings,
                pause=self.pause,
            )
        )

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def order(self, name: str = "w1", **changes: object) -> NewOrder:
        plain = NewOrder(
            client_order_id=name,
            instrument="SPX",
            side=Side.BUY,
            quantity=Decimal(10),
            limit_price_usd=Decimal("101.00"),
            time_in_force=TimeInForce.DAY,
            valid_until=self.clock.now() + timedelta(seconds=30),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]


def ref(name: str) -> OrderRef:
    return OrderRef(name, "SPX")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "book.sqlite")
    yield desk
    desk.venue.close()


def test_what_it_accepted_survives_the_client(desk: Desk) -> None:
    desk.venue.submit(desk.order())
    desk.venue.close()
    desk.venue = desk.open()
    found = desk.venue.find(ref("w1"))
    assert found is not None
    assert found.status is VenueStatus.WORKING


def test_the_order_is_durable_before_the_answer(desk: Desk, tmp_path: Path) -> None:
    seen: list[int] = []

    async def look(_seconds: float) -> None:
        with sqlite3.connect(tmp_path / "book.sqlite") as other:
            seen.append(other.execute("SELECT count(*) FROM orders").fetchone()[0])
        other.close()

    desk.venue.real._pause = look
    desk.venue.submit(desk.order())
    assert seen == [1]


def test_the_answer_takes_as_long_as_configured(tmp_path: Path) -> None:
    slow = Desk(tmp_path / "slow.sqlite", ack_delay_s=2.5)
    slow.venue.submit(slow.order())
    slow.venue.close()
    assert slow.pauses == [2.5]


def test_a_client_order_id_is_unique_for_ever(desk: Desk) -> None:
    desk.venue.submit(desk.order())
    desk.clock.move_to(TUESDAY_OPEN)
    assert desk.venue.trades(ref("w1"))
    with pytest.raises(OutcomeUnknownError, match="exists"):
        desk.venue.submit(desk.order(valid_until=TUESDAY_OPEN + timedelta(seconds=1)))
    assert len(desk.venue.trades(ref("w1"))) == 1


def test_a_fill_has_price_fee_and_time_of_the_first_open(desk: Desk) -> None:
    desk.venue.submit(desk.order())
    assert desk.venue.trades(ref("w1")) == ()
    desk.clock.move_to(TUESDAY_OPEN + timedelta(days=1))
    (trade,) = desk.venue.trades(ref("w1"))
    assert (trade.price_usd, trade.fee_usd) == (Decimal("100.02"), Decimal("0.51"))
    assert trade.executed_at == TUESDAY_OPEN
    assert desk.venue.trades(ref("w1")) == (trade,)


def test_a_cancel_that_comes_after_the_fill_changes_nothing(desk: Desk) -> None:
    desk.venue.submit(desk.order())
    desk.clock.move_to(TUESDAY_OPEN)
    desk.venue.cancel(ref("w1"))
    found = desk.venue.find(ref("w1"))
    assert found is not None
    assert found.status is VenueStatus.FILLED


def test_a_cancelled_order_never_fills(desk: Desk) -> None:
    desk.venue.submit(desk.order())
    desk.venue.cancel(ref("w1"))
    desk.clock.move_to(TUESDAY_OPEN + timedelta(days=1))
    assert desk.venue.trades(ref("w1")) == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instrument": "NONE"}, "no such instrument"),
        ({"quantity": Decimal("0.0005")}, "lot"),
        ({"quantity": Decimal(0)}, "lot"),
        ({"limit_price_usd": Decimal("101.001")}, "tick"),
        ({"quantity": Decimal("0.001")}, "notional"),
        ({"valid_until": AFTER_MONDAY - timedelta(seconds=1)}, "validity"),
    ],
)
def test_an_unfit_order_is_declined_and_leaves_no_trace(
    desk: Desk, changes: dict[str, object], why: str
) -> None:
    with pytest.raises(OrderDeclinedError, match=why):
        desk.venue.submit(desk.order(**changes))
    assert desk.venue.find(ref("w1")) is None


def test_an_instrument_without_opens_is_declined(desk: Desk) -> None:
    desk.market.instruments = (SPX.model_copy(update={"has_range": False}),)
    with pytest.raises(OrderDeclinedError, match="traded"):
        desk.venue.submit(desk.order())


def test_a_locked_book_is_provably_unsent(desk: Desk, tmp_path: Path) -> None:
    desk.venue.real._book._connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(tmp_path / "book.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OrderUnsentError):
        desk.venue.submit(desk.order())
    other.execute("ROLLBACK")
    other.close()
    assert desk.venue.find(ref("w1")) is None


def test_a_broken_book_is_ambiguous_when_sending_and_unavailable_when_asking(desk: Desk) -> None:
    desk.venue.real._book._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(OutcomeUnknownError):
        desk.venue.submit(desk.order())
    desk.venue.close()
    with pytest.raises(Fault) as caught:
        desk.venue.find(ref("w1"))
    assert caught.value.code is ErrorCode.VENUE_UNAVAILABLE
    desk.venue = desk.open()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM orders", "DELETE FROM trades", "UPDATE trades SET quantity = '1'"]
)
def test_its_book_is_never_rewritten(desk: Desk, statement: str) -> None:
    desk.venue.submit(desk.order())
    desk.clock.move_to(TUESDAY_OPEN)
    desk.venue.trades(ref("w1"))
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        desk.venue.real._book._connection.execute(statement)


def test_it_does_not_exist_in_live_mode(desk: Desk) -> None:
    with pytest.raises(Fault) as caught:
        desk.open(Mode.LIVE)
    assert caught.value.code is ErrorCode.MODE_MISMATCH
