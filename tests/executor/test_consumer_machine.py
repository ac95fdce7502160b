"""The queue's consumer under everything a queue may do: no decision becomes more than it was sealed for.

Duplicates, reordering between groups, visibility that ends in the middle of the work, messages
nobody can read, and a process that dies at any point. At the end every message has had its
consequence, and every untouched decision of a group that nothing happened to is working.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import eth_account  # noqa: F401 - raises the recursion limit on import, which hypothesis must not see happen
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from executor.probe import Point
from policies.limits import HARD_LIMITS
from tests.executor.simulation.loop import DiedError
from tests.executor.world import World
from tests.fakes.fake_market import SPX
from tests.fakes.memory_queue import MemoryQueue
from when_to_invest.breakers import TradingState
from when_to_invest.envelopes import Envelope
from when_to_invest.history import FINAL_STATES, DecisionState
from when_to_invest.orders import OrderState

INSTRUMENTS = ("SPX", "IXIC")
VISIBILITY_S = 30.0
MAX_RECEIVES = 4
ROOMY = HARD_LIMITS.model_copy(
    update={
        "max_messages_per_minute": 1000,
        "max_messages_per_hour": 1000,
        "max_proposer_messages_per_minute": 1000,
        "max_proposer_messages_per_hour": 1000,
        "max_repeated_executions": 1000,
        "approval_total_24h_usd": Decimal(10**6),
        "second_approval_total_24h_usd": Decimal(10**6),
    }
)
"""Wide enough that limits do not end the game; the others are judged as ever."""
points = st.sampled_from([point for point in Point if point is not Point.RECOVERED])
instruments = st.sampled_from(INSTRUMENTS)


class Accident:
    """A probe that strikes once at its point: the process dies, or its message's visibility ends."""

    def __init__(self, world: World, point: Point, *, is_deadly: bool) -> None:
        self._world, self._point, self._is_deadly = world, point, is_deadly

    def reached(self, point: Point) -> None:
        if point is not self._point:
            return
        self._point = Point.RECOVERED
        if self._is_deadly:
            raise DiedError(point.value)
        self._world.queue.now_s += VISIBILITY_S


class ConsumerMachine(RuleBasedStateMachine):
    """Plays the queue against fresh executors on one journal and one venue."""

    @initialize()
    def furnish(self) -> None:
        self.world = World(
            queue=MemoryQueue(visibility_s=VISIBILITY_S, max_receives=MAX_RECEIVES),
            limits=ROOMY,
            callers={"agent": ROOMY},
        )
        self.world.gate.limits = ROOMY
        self.world.market.instruments = tuple(SPX.model_copy(update={"id": name}) for name in INSTRUMENTS)
        self.world.market.bars["IXIC"] = self.world.market.bars["SPX"]
        self.sealed: list[Envelope] = []
        self.touched: set[str] = set()
        self.count = 0

    @rule(instrument=instruments)
    def propose(self, instrument: str) -> None:
        self.count += 1
        envelope = self.world.gate.sealed_if_approved(
            self.count, quantity=Decimal(1) + Decimal(self.count) / 100, instrument=instrument
        )
        if envelope is not None:
            self.sealed.append(envelope)
            self.world.gate.queue(envelope)

    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        if self.sealed:
            self.world.gate.queue(data.draw(st.sampled_from(self.sealed)))

    @rule(data=st.data(), body=st.sampled_from(["", "{", "null", "[]", '{"content": {}}']))
    def spoil(self, data: st.DataObject, body: str) -> None:
        if self.sealed:
            envelope = data.draw(st.sampled_from(self.sealed))
            self.world.gate.queue(envelope, body=body)
            self.touched.add(envelope.content.message_group)

    @rule(instrument=instruments)
    def let_the_group_go_last(self, instrument: str) -> None:
        """Reorder between groups: all of one group's messages come after the other's."""
        held = self.world.queue.held
        held.sort(key=lambda item: item.message.group.endswith(instrument))

    @rule()
    def let_visibility_end(self) -> None:
        self.world.queue.now_s += VISIBILITY_S

    @rule()
    def work(self) -> None:
        self.world.run(rounds=2)

    @rule(point=points)
    def die_at_work(self, point: Point) -> None:
        probe = Accident(self.world, point, is_deadly=True)
        try:
            self.world.run(rounds=2, probe=probe)
        except DiedError:
            self.world.queue.now_s += VISIBILITY_S

    @rule(point=points)
    def lose_the_message_at_work(self, point: Point) -> None:
        self.world.run(rounds=2, probe=Accident(self.world, point, is_deadly=False))

    @invariant()
    def nothing_exceeds_what_was_sealed(self) -> None:
        for decision_id, record in self.world.state().decisions.items():
            live = [order for order in record.orders.values() if order.state is not OrderState.ABSENT]
            sent = sum((order.sent.quantity for order in live), Decimal(0))
            assert sent <= record.authorised_quantity, decision_id

    @invariant()
    def nothing_is_submitted_twice(self) -> None:
        assert all(times == 1 for times in Counter(self.world.venue.submits).values())
        sealed = {order for record in self.world.state().decisions.values() for order in record.orders}
        assert set(self.world.venue.submits) <= sealed

    @invariant()
    def a_dead_letter_halts_its_group(self) -> None:
        states = self.world.book.trading_states
        for event in self.world.journal.recorded:
            if event.event.kind == "dead_letter_arrived":
                scope = f"instrument:{event.event.group.rpartition('|')[2]}"
                assert states[scope] is TradingState.HALTED

    def teardown(self) -> None:
        self.world.queue.now_s += VISIBILITY_S
        self.world.run(rounds=40)
        assert self.world.queue.is_empty()
        halted = self.world.book.trading_states
        for envelope in self.sealed:
            state = self.world.decision(envelope.content.decision_id).state
            assert state in FINAL_STATES | {DecisionState.WORKING}
            group = envelope.content.message_group
            scope = f"instrument:{group.rpartition('|')[2]}"
            if group not in self.touched and scope not in halted:
                assert state is DecisionState.WORKING


ConsumerMachine.TestCase.settings = settings(stateful_step_count=20)
TestConsumerMachine = pytest.mark.proof(ConsumerMachine.TestCase)
