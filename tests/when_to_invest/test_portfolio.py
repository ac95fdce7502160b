"""The account book: money is conserved, doubt stays reserved, nothing counts twice."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.when_to_invest.samples import NOW, Story, chain_intent, funded, one_of_each, order_intent
from tests.when_to_invest.tightenings import halted
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.holdings import Position
from when_to_invest.intents import Side
from when_to_invest.orders import ORDER_LIFE, OrderState, OrderStep
from when_to_invest.portfolio import AccountBook, Reservation, fold

STORY = Story(order_intent())
ILLEGAL = [
    (state, step) for state, step in itertools.product(OrderState, OrderStep) if step not in ORDER_LIFE[state]
]
IN_DOUBT = [OrderState.SEND_INTENDED, OrderState.UNKNOWN, OrderState.QUARANTINED, OrderState.ABSENT]
SETTLED_WITHOUT_FILL = [OrderState.REJECTED, OrderState.CANCELLED, OrderState.EXPIRED]
quantities = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(1000), places=2)
prices_usd = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(5000), places=2)
fees_usd = st.decimals(min_value=0, max_value=Decimal(50), places=2)


@dataclass(frozen=True)
class Part:
    """One execution of a random order."""

    quantity: Decimal
    price_usd: Decimal
    fee_usd: Decimal


@dataclass(frozen=True)
class Plan:
    """A random order that fills in parts, and whether its last part completes it."""

    side: Side
    parts: list[Part] = field(default_factory=list)
    is_completed: bool = True

    def events(self, n: int) -> list[ev.Event]:
        total = sum((part.quantity for part in self.parts), Decimal(0)) + (0 if self.is_completed else 1)
        story = Story(order_intent(side=self.side, quantity=total, limit_price_usd=Decimal(5000)), n=n)
        fills = [
            story.filled(
                part.quantity,
                trade=f"t-{number}",
                price_usd=part.price_usd,
                fee_usd=part.fee_usd,
                is_last=self.is_completed and number == len(self.parts),
            )
            for number, part in enumerate(self.parts, start=1)
        ]
        return [*story.until_sealed(), story.sending(), story.moved(OrderStep.ACKNOWLEDGED), *fills]


plans = st.builds(
    Plan,
    side=st.sampled_from(Side),
    parts=st.lists(st.builds(Part, quantities, prices_usd, fees_usd), min_size=1, max_size=4),
    is_completed=st.booleans(),
)


def _spent_usd(plan: Plan) -> Decimal:
    return sum(
        (plan.side.sign * part.quantity * part.price_usd + part.fee_usd for part in plan.parts), Decimal(0)
    )


@pytest.mark.proof
@given(st.lists(plans, max_size=4))
def test_cash_and_position_are_what_the_fills_add_up_to(told: list[Plan]) -> None:
    events = [event for n, plan in enumerate(told, start=1) for event in plan.events(n)]
    book = fold([funded("100000"), *events])
    assert book.cash_usd["main"] == Decimal(100_000) - sum(map(_spent_usd, told), Decimal(0))
    held = sum((plan.side.sign * part.quantity for plan in told for part in plan.parts), Decimal(0))
    assert book.position("main", "SPX").quantity == held


@pytest.mark.proof
@given(plans)
def test_what_is_still_open_stays_reserved_and_nothing_more(plan: Plan) -> None:
    book = fold(plan.events(1))
    assert [r.quantity_open for r in book.reservations.values()] == (
        [] if plan.is_completed else [Decimal(1)]
    )


@pytest.mark.proof
@given(st.lists(plans, min_size=1, max_size=3), st.data())
def test_a_trade_told_again_counts_once(told: list[Plan], data: st.DataObject) -> None:
    events = [event for n, plan in enumerate(told, start=1) for event in plan.events(n)]
    book = fold(events)
    before = copy.deepcopy(book)
    book.apply(data.draw(st.sampled_from([event for event in events if isinstance(event, ev.OrderFilled)])))
    assert book == before


@pytest.mark.parametrize(("state", "step"), ILLEGAL)
def test_an_illegal_step_raises_and_changes_nothing(state: OrderState, step: OrderStep) -> None:
    book = fold([funded(), *STORY.until(state)])
    before = copy.deepcopy(book)
    with pytest.raises(Fault) as refused:
        book.apply(STORY.step(step))
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert book == before


@pytest.mark.parametrize("state", IN_DOUBT)
def test_an_order_in_doubt_stays_reserved_in_full(state: OrderState) -> None:
    book = fold(STORY.until(state))
    assert book.reservations[STORY.decision_id].notional_usd == Decimal("3.5") * Decimal("2750.25")


@pytest.mark.parametrize("state", SETTLED_WITHOUT_FILL)
def test_an_order_that_ended_without_a_trade_reserves_nothing(state: OrderState) -> None:
    book = fold([funded(), *STORY.until(state)])
    assert not book.reservations
    assert book.cash_usd == {"main": Decimal(100_000)}


def test_a_late_fill_after_a_cancel_moves_money_and_position() -> None:
    book = fold([funded(), *STORY.until(OrderState.CANCELLED), STORY.filled(Decimal(1), is_last=False)])
    assert book.position("main", "SPX").quantity == 1
    assert book.cash_usd["main"] == Decimal(100_000) - Decimal("2750.25")
    assert not book.reservations


def test_sealing_reserves_at_the_limit_price() -> None:
    book = fold(STORY.until_sealed())
    assert book.reservations == {
        STORY.decision_id: Reservation(
            account="main",
            venue="paper",
            instrument="SPX",
            side=Side.BUY,
            quantity_open=Decimal("3.5"),
            worst_price_usd=Decimal("2750.25"),
        )
    }


def test_an_envelope_the_executor_rejects_frees_its_reservation() -> None:
    assert not fold([*STORY.until_sealed(), STORY.queued(), STORY.rejected()]).reservations


def test_counters_forget_what_is_older_than_a_day() -> None:
    later = Story(order_intent(request_id="r-2"), n=2, at=NOW + timedelta(hours=24))
    book = fold([*STORY.until_sealed(), *later.until_sealed()])
    assert [proposal.decision_id for proposal in book.proposals] == [later.decision_id]
    assert [*book.recent.sealed] == [later.decision_id]


def test_counters_remember_what_is_just_within_a_day() -> None:
    later = Story(order_intent(request_id="r-2"), n=2, at=NOW + timedelta(hours=23, minutes=59))
    assert len(fold([*STORY.until_sealed(), *later.until_sealed()]).proposals) == len((STORY, later))


def test_a_transfer_reserves_no_instrument() -> None:
    book = fold(Story(chain_intent()).until_sealed())
    assert (book.reservations, book.recent.sealed, len(book.proposals)) == ({}, {}, 0)


@pytest.mark.parametrize("scope", ["system", "account:main", "venue:paper", "instrument:SPX"])
def test_any_scope_can_stop_an_instrument(scope: str) -> None:
    halt = halted(scope=scope)
    book = fold([halt])
    assert book.trading_state(account="main", venue="paper", instrument="SPX") is TradingState.HALTED


def test_a_scope_does_not_stop_its_neighbours() -> None:
    halt = halted(scope="instrument:IXIC")
    assert fold([halt]).trading_state(account="main", venue="paper", instrument="SPX") is TradingState.ACTIVE


def test_the_book_can_be_kept_event_by_event() -> None:
    ends = ev.OrderMoved | ev.OrderFilled | ev.OrderSettled
    told = [event for event in one_of_each() if not isinstance(event, ends)]
    book = AccountBook()
    for event in told:
        book.apply(event)
    assert book == fold(told)


def test_selling_a_part_keeps_the_average_cost_of_the_rest() -> None:
    position = Position()
    position.apply(side=Side.BUY, quantity=Decimal(4), price_usd=Decimal(100))
    position.apply(side=Side.BUY, quantity=Decimal(4), price_usd=Decimal(200))
    position.apply(side=Side.SELL, quantity=Decimal(2), price_usd=Decimal(500))
    assert position == Position(quantity=Decimal(6), cost_usd=Decimal(900))


def test_what_people_settled_moves_money_at_their_price_and_frees_the_order() -> None:
    told = [funded(), *STORY.until(OrderState.ACKNOWLEDGED)]
    book = fold([*told, STORY.settled(Decimal(2), price_usd=Decimal(2000))])
    assert not book.reservations
    assert book.position("main", "SPX").quantity == 2
    assert book.cash_usd["main"] == Decimal(96_000)
    nothing = fold([*told, STORY.settled(Decimal(0))])
    assert (nothing.reservations, nothing.cash_usd) == ({}, {"main": Decimal(100_000)})


def test_a_last_fill_frees_what_it_did_not_use() -> None:
    book = fold([funded(), *STORY.until(OrderState.ACKNOWLEDGED), STORY.filled(Decimal(1), is_last=True)])
    assert not book.reservations


def test_a_fill_of_all_that_was_open_frees_the_order_though_it_is_not_called_the_last() -> None:
    told = [funded(), *STORY.until(OrderState.ACKNOWLEDGED)]
    assert not fold([*told, STORY.filled(Decimal("3.5"), is_last=False)]).reservations
    left = fold([*told, STORY.filled(Decimal(3), is_last=False)]).reservations[STORY.decision_id]
    assert left.quantity_open == Decimal("0.5")


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.NEW, OrderState.ABSENT}))
def test_a_rejection_frees_nothing_of_a_decision_with_an_order(state: OrderState) -> None:
    book = fold([funded(), *STORY.until(state)])
    before = copy.deepcopy(book)
    with pytest.raises(Fault) as refused:
        book.apply(STORY.rejected())
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert book == before


def test_a_rejection_frees_what_was_never_sent_or_is_proven_absent() -> None:
    assert not fold([*STORY.until_sealed(), STORY.rejected()]).reservations
    assert not fold([*STORY.until(OrderState.ABSENT), STORY.rejected()]).reservations
