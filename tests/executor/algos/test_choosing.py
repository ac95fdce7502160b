"""Whatever the venue, the clock and the market do: never too much, too dear, too fast, or twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.algos.choosing import MOST_DECLINED, next_child
from executor.algos.lots import covering_steps, whole_steps
from executor.algos.moves import CancelChild, Done, Market, Move, NextChild, Wait
from executor.algos.progress import IN_DOUBT, Progress, Terms
from executor.algos.sliced import largest_lots, slices_of
from tests.executor.algos.floor import NOON, SECOND, TERMS, Desk, child, progress, quote
from tests.strategies.executions import executions
from when_to_invest.execution import (
    Ending,
    Execution,
    ImmediatePlan,
    PovPlan,
    ShortfallPlan,
    TwapPlan,
    VwapPlan,
)
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.orders import OrderState

D = Decimal
TWAP = TwapPlan(duration_s=600, slices=10)
terms = st.builds(
    Terms,
    lot_size=st.sampled_from([D("0.001"), D("0.01"), D("0.5"), D(1)]),
    tick_size_usd=st.sampled_from([D("0.01"), D("0.05"), D(1)]),
    min_quantity=st.sampled_from([D(0), D("0.5"), D(2)]),
    min_notional_usd=st.sampled_from([D(0), D(5), D(100)]),
)
ANSWERS = [OrderState.ACKNOWLEDGED] * 4 + [OrderState.REJECTED, OrderState.UNKNOWN, OrderState.SEND_INTENDED]


class Chaos:
    """Draws what the market, the venue and the clock do next, and checks every answer."""

    def __init__(self, data: st.DataObject, plan: Execution) -> None:
        self.draw = data.draw
        side = self.draw(st.sampled_from(Side))
        limit = D(100) + side.sign * self.draw(st.integers(-3, 5))
        begun = progress(plan, side=side, limit_price_usd=limit, terms=self.draw(terms), quantity=D(50))
        self.desk = Desk(plan, begun)
        self.volume = D(0)

    def market(self) -> Market:
        bid_usd = self.draw(st.decimals(95, 105, places=2))
        self.volume += self.draw(st.integers(0, 200))
        shown = quote(bid_usd, bid_usd + self.draw(st.decimals("0.01", 1, places=2)), at=self.desk.now)
        return Market(shown, traded_quantity=self.volume)

    def step(self) -> Move:
        desk, market = self.desk, self.market()
        move = desk.look(market)
        assert desk.look(market) == move
        if isinstance(move, NextChild):
            self._check(move)
            desk.send(move, self.draw(st.sampled_from(ANSWERS)))
        elif isinstance(move, CancelChild) and self.draw(st.booleans()):
            assert desk.open is not None
            assert desk.open.client_order_id == move.client_order_id
            desk.change(desk.open, state=OrderState.CANCELLED)
        self._happen()
        longest = max((desk.progress.ends_at - desk.progress.starts_at) // SECOND // 4, 2)
        desk.now += self.draw(st.integers(0, longest)) * SECOND
        return move

    def _happen(self) -> None:
        """Let the open child, if any, be found, lost, or filled in part."""
        desk = self.desk
        if desk.open is None:
            return
        if desk.open.state in IN_DOUBT:
            found = [OrderState.ACKNOWLEDGED, OrderState.ABSENT, OrderState.UNKNOWN, OrderState.QUARANTINED]
            desk.change(desk.open, state=self.draw(st.sampled_from(found)))
        elif self.draw(st.booleans()):
            rest = desk.open.quantity - desk.open.filled_quantity
            desk.fill(desk.open, rest * self.draw(st.integers(1, 4)) / 4)

    def _check(self, move: NextChild) -> None:
        desk, state = self.desk, self.desk.progress
        assert not any(item.is_open for item in state.children)
        assert state.starts_at <= desk.now < state.ends_at
        assert sum((item.exposure for item in state.children), D(0)) + move.quantity <= state.quantity
        self._check_price(move, state)
        self._check_size(move, state)
        ids = [(item.slice_index, item.attempt) for item in state.children]
        assert (move.slice_index, move.attempt) not in ids
        taken = [item for item in state.children if item.state is not OrderState.ABSENT]
        assert all(item.slice_index < move.slice_index for item in taken) or not taken
        self._check_pace(move, state)

    def _check_price(self, move: NextChild, state: Progress) -> None:
        sign, price_usd = state.side.sign, move.limit_price_usd
        collar_usd = state.arrival_usd * (1 + sign * self.desk.plan.collar_bps / 10_000)
        assert price_usd > 0
        assert sign * price_usd <= sign * state.limit_price_usd
        assert sign * price_usd <= sign * collar_usd
        assert price_usd % state.terms.tick_size_usd == 0

    def _check_size(self, move: NextChild, state: Progress) -> None:
        assert move.quantity % state.terms.lot_size == 0
        assert move.quantity >= state.terms.min_quantity
        assert move.quantity * move.limit_price_usd >= state.terms.min_notional_usd

    def _check_pace(self, move: NextChild, state: Progress) -> None:
        plan, lots = self.desk.plan, whole_steps(move.quantity, state.terms.lot_size)
        taken = [item for item in state.children if item.state is not OrderState.ABSENT]
        if isinstance(plan, TwapPlan | VwapPlan | ShortfallPlan):
            planned = slices_of(plan, state)
            assert lots <= largest_lots(plan, planned, own=planned[move.slice_index])
            pause = (state.ends_at - state.starts_at) / plan.slices / 2
            assert all(self.desk.now - item.sent_at >= pause for item in taken)
        if isinstance(plan, PovPlan):
            out = sum((item.exposure for item in state.children), D(0)) + move.quantity
            assert out <= plan.participation_ratio * self.volume


@pytest.mark.proof
@settings(deadline=None)
@given(executions(D(50)), st.data())
def test_nothing_leaves_that_should_not(plan: Execution, data: st.DataObject) -> None:
    chaos = Chaos(data, plan)
    for _ in range(25):
        if isinstance(chaos.step(), Done):
            break


@pytest.mark.proof
@settings(deadline=None)
@given(executions(D(50)), st.data())
def test_it_ends_after_its_window_once_nothing_is_in_doubt(plan: Execution, data: st.DataObject) -> None:
    chaos = Chaos(data, plan)
    for _ in range(6):
        chaos.step()
    desk = chaos.desk
    desk.now = max(desk.now, desk.progress.ends_at)
    for _ in range(2):
        if desk.open is not None:
            still = desk.look()
            assert isinstance(still, CancelChild | Wait)
            desk.change(desk.open, state=OrderState.CANCELLED)
    ended = desk.look()
    assert isinstance(ended, Done)
    assert ended.unfilled_quantity == desk.progress.quantity - desk.progress.filled_quantity


@pytest.mark.proof
@settings(deadline=None)
@given(executions(D(50)), st.data())
def test_what_comes_later_changes_no_answer(plan: Execution, data: st.DataObject) -> None:
    chaos = Chaos(data, plan)
    for _ in range(5):
        chaos.step()
    desk, none = chaos.desk, Market(None, traded_quantity=chaos.volume)
    later = Market(quote(50, 60, at=desk.now + SECOND / 1000), traded_quantity=chaos.volume)
    assert desk.look(later) == desk.look(none)


@pytest.mark.parametrize(
    "market",
    [
        Market(None),
        Market(quote(at=NOON - timedelta(seconds=31))),
        Market(quote(at=NOON + SECOND)),
        Market(quote(instrument="IXIC")),
    ],
)
def test_without_a_fresh_quote_of_its_own_nothing_leaves(market: Market) -> None:
    move = Desk(TWAP, progress(TWAP), now=NOON + 60 * SECOND).look(replace(market))
    assert move == Wait(NOON + 61 * SECOND, "no fresh quote")


@pytest.mark.parametrize("state", [OrderState.SEND_INTENDED, OrderState.UNKNOWN, OrderState.QUARANTINED])
@pytest.mark.parametrize("seconds", [0, 300, 601])
def test_an_order_in_doubt_blocks_everything(state: OrderState, seconds: int) -> None:
    desk = Desk(TWAP, progress(TWAP, children=(child(state=state),)), now=NOON + seconds * SECOND)
    assert isinstance(desk.look(), Wait)


def test_a_cancel_takes_back_the_open_child_and_ends_the_plan() -> None:
    desk = Desk(TWAP, progress(TWAP, children=(child(),), is_cancel_requested=True))
    assert desk.look() == CancelChild("c-0", "somebody asked")
    desk.change(desk.progress.children[0], state=OrderState.CANCELLED, filled_quantity=D("0.4"))
    assert desk.look() == Done(Ending.CANCELLED, D("9.6"))


def test_the_end_of_the_window_takes_back_the_open_child_and_leaves_the_rest() -> None:
    desk = Desk(TWAP, progress(TWAP, children=(child(),)), now=NOON + 600 * SECOND)
    assert desk.look() == CancelChild("c-0", "the window has ended")
    desk.change(desk.progress.children[0], state=OrderState.CANCELLED)
    assert desk.look() == Done(Ending.WINDOW_ENDED, D(10))


def test_what_all_traded_is_over() -> None:
    done = child(quantity=D(10), filled_quantity=D(10), state=OrderState.FILLED)
    assert Desk(TWAP, progress(TWAP, children=(done,))).look() == Done(Ending.FILLED, D(0))


def test_a_plan_that_has_ended_stays_so() -> None:
    assert Desk(TWAP, progress(TWAP, ending=Ending.REFUSED)).look() == Done(Ending.REFUSED, D(10))


def test_a_smaller_wish_takes_back_a_child_that_is_too_large() -> None:
    desk = Desk(TWAP, progress(TWAP, quantity=D("0.5"), children=(child(),)))
    assert desk.look() == CancelChild("c-0", "less is wanted than is open")


def test_a_stricter_limit_takes_back_a_child_beyond_it() -> None:
    desk = Desk(TWAP, progress(TWAP, limit_price_usd=D(100), children=(child(),)))
    assert desk.look() == CancelChild("c-0", "its price is not allowed any more")


def test_a_venue_that_takes_no_order_is_not_asked_for_ever() -> None:
    plan = TwapPlan(duration_s=600, slices=60)
    refused = [child(slice_index=n, state=OrderState.REJECTED) for n in range(MOST_DECLINED)]
    desk = Desk(plan, progress(plan, children=tuple(refused)), now=NOON + 60 * SECOND)
    assert desk.look() == Done(Ending.DECLINED, D(10))


def test_a_rest_below_one_lot_is_not_waited_for() -> None:
    crumb = child(quantity=D(10), filled_quantity=D("9.995"), state=OrderState.CANCELLED)
    assert Desk(TWAP, progress(TWAP, children=(crumb,))).look() == Done(Ending.UNFILLED, D("0.005"))


def test_an_absent_child_is_tried_again_under_another_attempt_and_not_for_ever() -> None:
    desk, moves = Desk(TWAP, progress(TWAP)), []
    while isinstance(move := desk.look(), NextChild):
        desk.send(move, OrderState.ABSENT)
        moves.append((move.slice_index, move.attempt))
        desk.now += SECOND
    assert moves == [(0, 1), (0, 2), (0, 3)]
    assert move == Wait(NOON + 60 * SECOND, "the next slice")


def test_the_collar_lies_around_the_price_at_arrival_wherever_the_market_went() -> None:
    plan = ImmediatePlan(collar_bps=D(50))
    for side, worst_usd in ((Side.BUY, D("100.50")), (Side.SELL, D("99.50"))):
        desk = Desk(plan, progress(plan, side=side, limit_price_usd=D(100) + side.sign * 5))
        move = desk.look(desk.market("110", "111"))
        assert move == NextChild(0, 1, D(10), worst_usd, TimeInForce.IOC)


def test_the_limit_holds_inside_the_collar_and_rounds_inward() -> None:
    plan = ImmediatePlan(collar_bps=D(500))
    coarse = replace(TERMS, tick_size_usd=D("0.25"))
    for side, worst_usd in ((Side.BUY, D("100.75")), (Side.SELL, D("101"))):
        desk = Desk(plan, progress(plan, side=side, limit_price_usd=D("100.8"), terms=coarse))
        move = desk.look()
        assert isinstance(move, NextChild)
        assert move.limit_price_usd == worst_usd


@given(st.decimals("0.001", 100, places=3), st.decimals("0.001", 100, places=3))
def test_what_is_left_counts_the_open_in_full_and_the_ended_by_their_fills(sent: D, filled: D) -> None:
    part = min(sent, filled)
    for state in OrderState:
        item = child(quantity=sent, filled_quantity=part, state=state)
        out = D(200) - progress(TWAP, quantity=D(200), children=(item,)).left
        assert out == (sent if item.is_open else part)
        assert covering_steps(out, D("0.001")) >= whole_steps(out, D("0.001"))


def test_asking_needs_nothing_but_what_it_is_given() -> None:
    market = Market(quote())
    answers = {repr(next_child(TWAP, progress=progress(TWAP), market=market, now=NOON)) for _ in range(3)}
    assert len(answers) == 1
