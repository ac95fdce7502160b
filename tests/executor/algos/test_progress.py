"""Progress is made from the journal alone: a crash changes no answer; never too little is reserved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.algos.choosing import next_child
from executor.algos.moves import CancelChild, Done, Market, NextChild
from executor.algos.progress import Progress, progress_of
from tests.executor.algos.floor import quote
from tests.strategies.executions import executions
from tests.when_to_invest.samples import Story, order_intent
from when_to_invest import events as ev
from when_to_invest.execution import Ending, Execution, TwapPlan
from when_to_invest.history import decisions
from when_to_invest.intents import Side
from when_to_invest.orders import TERMINAL, OrderState, OrderStep
from when_to_invest.portfolio import AccountBook
from when_to_invest.workings import ExecutionFinished

D = Decimal
ALL = D(50)
FIRST = [OrderStep.ACKNOWLEDGED, OrderStep.ACKNOWLEDGED, OrderStep.REJECTED, OrderStep.LOST_SIGHT]
LOST = [OrderStep.ACKNOWLEDGED, OrderStep.PROVEN_ABSENT, OrderStep.REJECTED, OrderStep.QUARANTINED]


def naive_reservation(told: list[ev.Event]) -> Decimal | None:
    """Return what should be reserved, said plainly: all that has not traded, until the plan ends."""
    if any(isinstance(event, ExecutionFinished) for event in told):
        return None
    trades = {event.trade_id: event.quantity for event in told if isinstance(event, ev.OrderFilled)}
    settled = [event.quantity for event in told if isinstance(event, ev.OrderSettled)]
    return ALL - sum(trades.values(), D(0)) - sum(settled, D(0))


class Run:
    """One plan from seal to end, told as events; every one is folded and checked as it comes."""

    def __init__(self, draw: st.DrawFn, plan: Execution) -> None:
        side = draw(st.sampled_from(Side))
        self.draw, self.plan = draw, plan
        intent = order_intent(execution=plan, side=side, quantity=ALL, limit_price_usd=D(100) + side.sign)
        self.story = Story(intent)
        self.told: list[ev.Event] = []
        self.book = AccountBook()
        self.volume = D(0)
        window = timedelta(seconds=plan.duration_s)
        planned = self.story.planned(bid_usd=D("99.99"), ask_usd=D("100.01"), ends_at=self.story.at + window)
        self.tell(*self.story.until_sealed(), planned)

    def progress(self) -> Progress:
        """Fold everything anew from its bytes, as a process does that has just started."""
        read = [ev.event_from_json(event.canonical()) for event in self.told]
        made = progress_of(decisions(read)[self.story.decision_id])
        assert made is not None
        return made

    def tell(self, *happened: ev.Event) -> None:
        for event in happened:
            self.told.append(event)
            self.book.apply(event)
            self.check()

    def check(self) -> None:
        record = decisions(self.told)[self.story.decision_id]
        held = self.book.reservations.get(self.story.decision_id)
        if record.envelope is None:
            assert held is None
            return
        assert (None if held is None else held.quantity_open) == naive_reservation(self.told)
        exposed = [o.sent.quantity - o.filled_quantity for o in record.orders.values() if o.is_open]
        assert sum(exposed, D(0)) <= (held.quantity_open if held else D(0))
        assert record.is_open == (held is not None)
        sealed = self.book.recent.sealed[self.story.decision_id]
        assert sealed.quantity_open == (held.quantity_open if held else 0)

    def step(self) -> bool:
        """Do what the algorithm says, let the venue answer and time pass; return whether it goes on."""
        made, market = self.progress(), self.market()
        move = next_child(self.plan, progress=made, market=market, now=self.story.at)
        assert move == next_child(self.plan, progress=self.progress(), market=market, now=self.story.at)
        if isinstance(move, Done):
            self.tell(self.story.finished(move.ending, str(move.unfilled_quantity)))
            return False
        if isinstance(move, NextChild):
            assert move.quantity + sum(c.exposure for c in made.children) <= made.quantity <= ALL
            self.send(move)
        self.answer(made, is_cancelled=isinstance(move, CancelChild))
        self.amend()
        later = timedelta(seconds=self.draw(st.integers(0, max(self.plan.duration_s // 4, 2))))
        self.story = Story(self.story.intent, at=self.story.at + later)
        return True

    def market(self) -> Market:
        self.volume += self.draw(st.integers(0, 200))
        middle = self.draw(st.decimals(98, 102, places=2))
        return Market(quote(middle - D("0.01"), middle + D("0.01"), at=self.story.at), self.volume)

    def send(self, move: NextChild) -> None:
        name = f"o-{len(self.told)}"
        self.tell(
            self.story.sending(
                client_order_id=name,
                slice_index=move.slice_index,
                attempt=move.attempt,
                quantity=move.quantity,
                limit_price_usd=move.limit_price_usd,
            )
        )
        step = self.draw(st.sampled_from([None, *FIRST]))
        if step is not None:
            self.tell(self.story.moved(step, order=name))

    def answer(self, made: Progress, *, is_cancelled: bool) -> None:
        """Let something happen to the open order: found, lost, settled, traded in part, ended."""
        order = next((c for c in made.children if c.is_open), None)
        if order is None:
            return
        name, rest = order.client_order_id, order.quantity - order.filled_quantity
        if order.state is OrderState.SEND_INTENDED:
            self.tell(self.story.moved(self.draw(st.sampled_from(FIRST)), order=name))
        elif order.state is OrderState.UNKNOWN:
            self.tell(self.story.moved(self.draw(st.sampled_from(LOST)), order=name))
        elif order.state is OrderState.QUARANTINED:
            settled = rest * self.draw(st.integers(0, 2)) / 2
            self.tell(self.story.settled(settled, price_usd=D(100) if settled else None, order=name))
        else:
            self.trade(name, rest, is_cancelled=is_cancelled)

    def trade(self, name: str, rest: Decimal, *, is_cancelled: bool) -> None:
        parts = self.draw(st.integers(0, 4))
        if parts:
            fill = self.story.filled(
                rest * parts / 4, trade=str(len(self.told)), is_last=parts == 4, order=name
            )
            self.tell(fill, *([fill] if self.draw(st.booleans()) else []))
        if parts < 4 and is_cancelled:
            self.tell(self.story.moved(OrderStep.CANCELLED, order=name))

    def amend(self) -> None:
        if self.draw(st.integers(0, 9)) == 0:
            self.tell(self.story.amended(str(self.draw(st.integers(1, 60))), "100.5"))


@pytest.mark.proof
@settings(deadline=None)
@given(executions(ALL), st.data())
def test_at_every_event_enough_is_reserved_and_a_restart_changes_no_answer(
    plan: Execution, data: st.DataObject
) -> None:
    run = Run(data.draw, plan)  # type: ignore[arg-type]
    for _ in range(12):
        if not run.step():
            break


def test_there_is_no_progress_before_a_plan_begins_or_without_one() -> None:
    planned = Story(order_intent(execution=TwapPlan(duration_s=60, slices=2)))
    for story in (planned, Story(order_intent())):
        assert progress_of(decisions(story.until_sealed())[story.decision_id]) is None


def test_progress_says_what_the_journal_says() -> None:
    story = Story(order_intent(execution=TwapPlan(duration_s=600, slices=7)))
    told = [
        *story.until_sealed(),
        story.planned(),
        story.sending(quantity=D("0.5"), slice_index=2, attempt=3),
        story.moved(OrderStep.ACKNOWLEDGED),
        story.filled(D("0.2"), is_last=False),
        story.amended("2", "2700"),
        ev.CancelRequested(at=story.at, mode=story.intent.mode, decision_id=story.decision_id, caller="me"),
        story.settled(D("0.1"), price_usd=D(2700)),
        story.finished(Ending.CANCELLED, "1.7"),
    ]
    made = progress_of(decisions(told)[story.decision_id])
    assert made is not None
    (child,) = made.children
    assert (child.slice_index, child.attempt, child.filled_quantity) == (2, 3, D("0.3"))
    assert child.state in TERMINAL
    assert (made.quantity, made.limit_price_usd, made.left) == (D(2), D(2700), D("1.7"))
    assert (made.arrival_usd, made.instrument, made.is_cancel_requested) == (D(2750), "SPX", True)
    assert (made.starts_at, made.ends_at) == (story.at, story.at + timedelta(minutes=10))
    assert made.ending is Ending.CANCELLED
