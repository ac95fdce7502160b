"""A plan on the paper venue, bar by bar, on a clock that replays: what a demonstration shows."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from executor.venues.paper import PAPER, PaperVenue
from home.settings import PaperSettings
from tests.executor.world import World
from tests.fakes.fake_market import AFTER_MONDAY, SPX, FakeMarket
from when_to_invest.execution import Ending, PovPlan, TwapPlan
from when_to_invest.history import DecisionState
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import Bar
from when_to_invest.values import Mode
from when_to_invest.workings import ExecutionFinished, ExecutionPlanned

BEGIN = AFTER_MONDAY.replace(minute=0)
HOURLY = SPX.model_copy(update={"interval": Interval.HOUR, "session": Session.CONTINUOUS})


def bar(hour: int) -> Bar:
    opened_at = BEGIN + timedelta(hours=hour)
    opening, high, low, close = map(Decimal, ("100", "101", "99", "100"))
    return Bar(
        opened_at=opened_at,
        closed_at=opened_at + timedelta(hours=1),
        open_usd=opening,
        high_usd=high,
        low_usd=low,
        close_usd=close,
        volume=Decimal(40),
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    market = FakeMarket(instruments=(HOURLY,), bars={"SPX": [bar(hour) for hour in range(-24, 24)]})
    world = World(market=market)
    world.venue = PaperVenue(  # type: ignore[assignment]
        tmp_path / "paper.sqlite",
        mode=Mode.REPLAY,
        prices=market,
        clock=world.clock,
        settings=PaperSettings(ack_delay_s=0.0),
    )
    return world


def work_until(world: World, end: datetime, *, every: timedelta) -> None:
    """Run a fresh executor until it is idle, at one moment after the other, as a replay does."""
    while world.clock.now() < end:
        world.clock.move_to(world.clock.now() + every)
        world.run()


def test_a_twap_is_worked_across_bars(world: World) -> None:
    plan = TwapPlan(duration_s=4 * 3600, slices=4)
    decision_id = world.gate.propose(execution=plan, quantity=Decimal(12))
    world.run()
    work_until(world, BEGIN + timedelta(hours=10), every=timedelta(minutes=20))
    record = world.decision(decision_id)
    assert record.state is DecisionState.FILLED
    assert record.filled_quantity == Decimal(12)
    assert len({fill.at for fill in record.fills}) >= 2
    (end,) = world.events(ExecutionFinished)
    assert isinstance(end, ExecutionFinished)
    assert end.ending is Ending.FILLED
    assert not world.book.reservations


def test_a_plan_by_volume_takes_no_more_than_its_share_of_the_bars(world: World) -> None:
    plan = PovPlan(duration_s=8 * 3600, participation_ratio=Decimal("0.2"))
    decision_id = world.gate.propose(execution=plan, quantity=Decimal(12))
    world.run()
    assert not world.decision(decision_id).orders
    for hour in range(1, 10):
        work_until(world, BEGIN + timedelta(hours=hour), every=timedelta(minutes=20))
        record = world.decision(decision_id)
        sent = sum(order.sent.quantity for order in record.orders.values())
        assert sent <= Decimal(8) * hour
    assert record.filled_quantity > 0
    (end,) = world.events(ExecutionFinished)
    assert isinstance(end, ExecutionFinished)
    assert end.ending is Ending.WINDOW_ENDED
    assert end.unfilled_quantity == Decimal(12) - record.filled_quantity


def test_it_begins_at_the_price_that_the_venue_stands_behind_now(world: World) -> None:
    world.gate.propose(execution=TwapPlan(duration_s=3600, slices=2), quantity=Decimal(12))
    world.run()
    (planned,) = world.events(ExecutionPlanned)
    assert isinstance(planned, ExecutionPlanned)
    assert planned.quoted_at == planned.starts_at
    assert planned.bid_usd < Decimal(100) < planned.ask_usd


def test_a_clock_that_jumps_over_the_window_fills_no_more_than_what_rested(world: World) -> None:
    plan = TwapPlan(duration_s=4 * 3600, slices=4)
    decision_id = world.gate.propose(execution=plan, quantity=Decimal(12))
    world.run()
    work_until(world, BEGIN + timedelta(hours=12), every=timedelta(hours=12))
    record = world.decision(decision_id)
    assert record.filled_quantity == Decimal(3)
    (end,) = world.events(ExecutionFinished)
    assert isinstance(end, ExecutionFinished)
    assert (end.ending, end.unfilled_quantity) == (Ending.WINDOW_ENDED, Decimal(9))


def test_the_market_s_volume_counts_from_the_first_bar_after_the_begin(world: World) -> None:
    venue = world.venue
    assert venue.profile.name == PAPER
    world.clock.move_to(BEGIN + timedelta(hours=3))
    seen = asyncio.run(venue.traded_quantity("SPX", since=BEGIN + timedelta(minutes=30)))
    assert seen == Decimal(80)
    assert asyncio.run(venue.traded_quantity("NOWHERE", since=BEGIN)) is None
