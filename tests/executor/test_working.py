"""What the venue reports is recorded once, and never more than was authorised."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from executor import working
from executor.reconciling import MOST_LOOKS
from executor.venues.port import OrderRef, VenueOrder, VenueStatus
from tests.executor.world import World
from tests.fakes.fake_venue import Mishap
from tests.when_to_invest.tightenings import halted, reducing
from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.intents import Side
from when_to_invest.values import Mode


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def decision_id(world: World) -> str:
    decision_id = world.gate.propose()
    world.run()
    return decision_id


def test_a_trade_is_recorded_once_however_often_it_is_reported(world: World, decision_id: str) -> None:
    world.venue.trade(world.working_order(decision_id), Decimal(11))
    world.run()
    world.run()
    (fill,) = world.events(ev.OrderFilled)
    assert isinstance(fill, ev.OrderFilled)
    assert (fill.quantity, fill.price_usd, fill.is_last) == (Decimal(11), Decimal(100), True)
    assert world.book.position("main", "SPX").quantity == Decimal(11)
    assert world.book.cash_usd["main"] == Decimal(100_000) - 1100 - Decimal("0.05")


def test_partial_fills_add_up_and_free_their_part_of_the_reservation(world: World, decision_id: str) -> None:
    order = world.working_order(decision_id)
    world.venue.trade(order, Decimal(4))
    world.run()
    assert world.decision(decision_id).state is DecisionState.PARTLY_FILLED
    assert world.book.reservations[decision_id].quantity_open == Decimal(7)
    world.venue.trade(order, Decimal(7))
    world.run()
    assert world.decision(decision_id).state is DecisionState.FILLED
    assert not world.book.reservations


def test_a_partial_fill_then_expiry_keeps_the_fill(world: World, decision_id: str) -> None:
    order = world.working_order(decision_id)
    world.venue.trade(order, Decimal(4))
    world.venue.expire(order)
    world.run()
    record = world.decision(decision_id)
    assert record.state is DecisionState.EXPIRED
    assert record.filled_quantity == Decimal(4)
    assert not world.book.reservations


def test_a_requested_cancel_reaches_the_venue(world: World, decision_id: str) -> None:
    world.journal.append(
        [ev.CancelRequested(at=world.clock.now(), mode=Mode.REPLAY, decision_id=decision_id, caller="agent")]
    )
    world.run()
    assert world.decision(decision_id).state is DecisionState.CANCELLED
    assert not world.book.reservations


@pytest.mark.parametrize("scope", ["system", "account:main", "venue:paper", "instrument:SPX"])
def test_a_halt_cancels_what_is_open(world: World, decision_id: str, scope: str) -> None:
    world.journal.append([halted(world.clock.now(), scope=scope)])
    world.run()
    assert world.decision(decision_id).state is DecisionState.CANCELLED


@pytest.fixture
def held(world: World, decision_id: str) -> Decimal:
    """Eleven units of SPX; the executor is idle again."""
    world.venue.trade(world.working_order(decision_id), Decimal(11))
    world.run()
    return world.book.position("main", "SPX").quantity


def _offered(world: World, quantity: Decimal) -> str:
    """Seal and send a sale that rests at the venue."""
    sale = world.gate.propose(7, side=Side.SELL, quantity=quantity, limit_price_usd=Decimal("100.50"))
    world.run()
    assert world.decision(sale).state is DecisionState.WORKING
    return sale


@pytest.mark.parametrize("scope", ["system", "account:main", "venue:paper", "instrument:SPX"])
def test_where_it_only_reduces_purchases_are_cancelled_and_sales_stay(
    world: World, held: Decimal, scope: str
) -> None:
    sale, bought = _offered(world, held), world.gate.propose(2, limit_price_usd=Decimal(100))
    world.run()
    world.journal.append([reducing(world.clock.now(), scope=scope)])
    world.run()
    assert world.decision(bought).state is DecisionState.CANCELLED
    assert world.decision(sale).state is DecisionState.WORKING
    world.venue.trade(world.working_order(sale), held)
    world.run()
    assert world.book.position("main", "SPX").quantity == 0


def test_a_latch_alone_cancels_purchases_and_keeps_sales(world: World, held: Decimal) -> None:
    sale, bought = _offered(world, held), world.gate.propose(2, limit_price_usd=Decimal(100))
    service = world.run()
    world.latch.drop(Halt("account:main", TradingState.REDUCING, world.clock.now(), "alice", "drill"))
    service.cancel_stopped()
    assert world.venue.orders[world.working_order(bought)].status is VenueStatus.CANCELLED
    assert world.venue.orders[world.working_order(sale)].status is VenueStatus.WORKING


def test_another_scope_that_only_reduces_cancels_nothing(world: World, decision_id: str) -> None:
    world.journal.append([reducing(world.clock.now(), scope="instrument:IXIC")])
    world.run()
    assert world.decision(decision_id).state is DecisionState.WORKING


def test_an_order_that_is_quarantined_takes_its_instruments_other_purchases_with_it(
    world: World, decision_id: str
) -> None:
    world.venue.plan.append(Mishap.LOST_BEFORE)
    lost = world.gate.propose(2)
    service = world.run(rounds=1)
    world.venue.is_deaf = True
    with pytest.raises(Fault):
        service.step(wait_s=0)
    world.venue.is_deaf = False
    world.run()
    assert world.decision(lost).state is DecisionState.QUARANTINED
    assert world.book.trading_states == {"instrument:SPX": TradingState.REDUCING}
    assert world.decision(decision_id).state is DecisionState.CANCELLED


@pytest.mark.parametrize("parts", [["12"], ["11", "0.001"], ["6", "6"]])
def test_a_venue_that_fills_more_than_authorised_stops_everything(
    world: World, decision_id: str, parts: list[str]
) -> None:
    for part in parts:
        world.venue.trade(world.working_order(decision_id), Decimal(part))
    with pytest.raises(Fault) as caught:
        world.run()
    assert caught.value.code is ErrorCode.FILL_EXCEEDS_ORDER
    assert world.decision(decision_id).filled_quantity <= Decimal(11)


def test_an_order_the_venue_forgot_stays_reserved(world: World, decision_id: str) -> None:
    del world.venue.orders[world.working_order(decision_id)]
    world.run()
    assert world.decision(decision_id).state is DecisionState.WORKING
    assert decision_id in world.book.reservations
    assert "order_missing" in world.log.getvalue()


def test_the_end_waits_until_all_trades_are_known(world: World, decision_id: str) -> None:
    order = world.working_order(decision_id)
    world.venue.trade(order, Decimal(4))
    world.venue.expire(order)
    (trade,) = world.venue.executed[order]
    world.venue.executed[order] = []
    service = world.run(rounds=MOST_LOOKS - 2)
    assert world.decision(decision_id).state is DecisionState.WORKING
    world.venue.executed[order] = [trade]
    service.step(wait_s=0)
    assert world.decision(decision_id).state is DecisionState.EXPIRED


def test_a_trade_beyond_the_limit_is_recorded_and_halts_the_venue(world: World, decision_id: str) -> None:
    world.venue.trade(world.working_order(decision_id), Decimal(4), price_usd="101.01")
    world.run()
    record = world.decision(decision_id)
    assert record.filled_quantity == Decimal(4)
    assert world.book.trading_states == {"venue:paper": TradingState.HALTED}
    assert record.state is DecisionState.CANCELLED


def test_an_order_that_fills_too_much_does_not_keep_the_others_alive(world: World, decision_id: str) -> None:
    other = world.gate.propose(2)
    world.run()
    world.venue.trade(world.working_order(decision_id), Decimal(12))
    world.journal.append([halted(world.clock.now(), by="executor", why="too much")])
    with pytest.raises(Fault):
        world.run()
    assert world.venue.orders[world.working_order(other)].status is VenueStatus.CANCELLED


def test_a_rejection_of_a_decision_with_an_order_is_believed_by_nobody(
    world: World, decision_id: str
) -> None:
    ended = ev.EnvelopeRejected(
        at=world.clock.now(), mode=Mode.REPLAY, decision_id=decision_id, code="operator", message="by hand"
    )
    reserved = world.book.reservations
    assert decision_id in reserved
    world.journal.append([ended])
    with pytest.raises(Fault, match="an order of it was sent"):
        world.run()
    assert len(world.venue.submits) == 1


@pytest.fixture
def asked(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the orders that the venue is asked about one by one, where two are many."""
    told: list[str] = []
    find = world.venue.find

    async def noted(order: OrderRef) -> VenueOrder | None:
        told.append(order.client_order_id)
        return await find(order)

    monkeypatch.setattr(world.venue, "find", noted)
    monkeypatch.setattr(working, "MANY", 2)
    monkeypatch.setattr(working, "MOST_AT_ONCE", 1)
    return told


def test_of_many_orders_only_those_are_asked_about_that_are_not_as_the_venue_lists_them(
    world: World, asked: list[str]
) -> None:
    decisions = [world.gate.propose(number, quantity=Decimal(10 + number)) for number in (1, 2, 3)]
    world.run()
    in_turn, traded, ended = map(world.working_order, decisions)
    asked.clear()
    world.venue.trade(traded, Decimal(1))
    world.venue.expire(ended)
    world.executor().start()
    # What has ended is asked about once more: a trade may have raced its end.
    assert Counter(asked) == {in_turn: 1, traded: 1, ended: 2}
    (fill,) = world.events(ev.OrderFilled)
    assert isinstance(fill, ev.OrderFilled)
    assert (fill.client_order_id, fill.quantity) == (traded, Decimal(1))
    assert [world.decision(decision_id).state for decision_id in decisions] == [
        DecisionState.WORKING,
        DecisionState.PARTLY_FILLED,
        DecisionState.EXPIRED,
    ]


def test_of_many_orders_each_is_asked_about_in_its_turn(world: World, asked: list[str]) -> None:
    decisions = [world.gate.propose(number, quantity=Decimal(10 + number)) for number in (1, 2, 3)]
    world.run()
    orders = [*map(world.working_order, decisions)]
    executor = world.executor()
    executor.start()
    asked.clear()
    for _ in range(6):
        executor.step(wait_s=0)
    assert Counter(asked) == dict.fromkeys(orders, 2)
