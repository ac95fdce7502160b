"""Desk, approvals, redrive and executor under a hostile queue: no sum and no order ever exceeds its limit.

The queue loses, repeats, reorders, spoils and buries messages; people sign, redrive and resume;
the venue fills and loses; time passes and clocks go back. What is checked is computed anew from
the journal's events and from the venue's own list, by none of the code that judges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import eth_account  # noqa: F401 - raises the recursion limit on import, which hypothesis must not see happen
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from executor.probe import Point
from executor.venues.port import VenueStatus
from ledger.queue import OutgoingMessage
from policies.limits import HARD_LIMITS
from tests.executor.whole import CALLERS, INSTRUMENTS, Whole
from tests.fakes.fake_venue import Mishap
from tests.tool_servers.bench import ALICE, BOB, proposal, signed
from when_to_invest import events as ev
from when_to_invest.errors import Fault
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.letters import Answer, DeadLetterAnswered, DeadLetterArrived
from when_to_invest.orders import OrderStep
from when_to_invest.values import Mode

PRICE_USD = Decimal(100)
DAY = timedelta(hours=24)
LIMITS = HARD_LIMITS.model_copy(
    update={
        "max_messages_per_minute": 1000,
        "max_messages_per_hour": 1000,
        "max_proposer_messages_per_minute": 1000,
        "max_proposer_messages_per_hour": 1000,
        "max_repeated_executions": 1000,
    }
)
"""Hard, but for the rates: they would end the game before the sums are reached."""
KEYS = {"alice": ALICE, "bob": BOB}
ENDS = frozenset({OrderStep.CANCELLED, OrderStep.EXPIRED, OrderStep.REJECTED})
asks = st.lists(
    st.tuples(
        st.sampled_from([500, 3_000, 4_900, 6_000, 9_000, 9_800, 12_000, 19_500]),
        st.sampled_from(INSTRUMENTS),
        st.sampled_from(["buy", "buy", "sell"]),
    ),
    min_size=1,
    max_size=5,
)
"""USD, instrument and side."""
waits = st.sampled_from([1, 61, 400, 960, 3_700, 25_000, 90_000])


class Meanwhile:
    """Lets something happen once, between receiving a message and deciding on it."""

    def __init__(self, happen: Callable[[], object]) -> None:
        self._happen = happen
        self._is_over = False

    def reached(self, point: Point) -> None:
        if point is Point.RECEIVED and not self._is_over:
            self._is_over = True
            self._happen()


class HostileQueue(RuleBasedStateMachine):
    @initialize(asks=asks, more=asks)
    def begin(self, asks: list[tuple[int, str, str]], more: list[tuple[int, str, str]]) -> None:
        """Begin with what is sealed anew, while all the sums are still small enough to let it through."""
        self.whole = Whole(limits=LIMITS)
        self.whole.queue.deduplication_s = 0
        self.number = 0
        self.carried: list[OutgoingMessage] = []
        send = self.whole.queue.send

        def watched(message: OutgoingMessage) -> str:
            self.carried.append(message)
            return send(message)

        self.whole.queue.send = watched  # type: ignore[method-assign]
        self.come_too_late_and_be_sealed_anew(asks=asks, more=more)

    @rule(asks=asks)
    def propose(self, asks: list[tuple[int, str, str]]) -> None:
        desk = self.whole.desk()
        for usd, instrument, side in asks:
            self.number += 1
            request_id = f"r-{self.number}"
            asked = proposal(str(usd + self.number), request_id=request_id, instrument=instrument, side=side)
            self.tried(lambda: desk.propose(asked, caller=CALLERS[self.number % 2]))  # noqa: B023

    @rule(names=st.sets(st.sampled_from(sorted(KEYS)), min_size=1))
    def approve(self, names: set[str]) -> None:
        """Have each hold signed by these, until it is lifted."""
        desk = self.whole.desk()
        for hold in desk.held():
            for name in sorted(names):
                answer, key = desk.get(hold.decision_id), KEYS[name]
                if answer.state == "held":
                    self.tried(lambda: desk.approve(signed(desk, answer, name=name, key=key)))  # noqa: B023

    @rule()
    def work(self) -> None:
        self.tried(self.whole.work)

    @rule(asks=asks, more=asks)
    def come_too_late_and_be_sealed_anew(
        self, asks: list[tuple[int, str, str]], more: list[tuple[int, str, str]]
    ) -> None:
        """Let what was sealed expire in the queue, seal more meanwhile, and redrive the first."""
        self.propose(asks=asks)
        self.wait(seconds=960)
        self.work()
        self.propose(asks=more)
        self.redrive_everything()

    @rule(asks=asks, names=st.sets(st.sampled_from(sorted(KEYS))))
    def act_while_the_executor_holds_a_message(
        self, asks: list[tuple[int, str, str]], names: set[str]
    ) -> None:
        def meanwhile() -> None:
            self.redrive_everything()
            self.propose(asks=asks)
            self.approve(names=names)

        self.propose(asks=asks)
        self.tried(lambda: self.whole.work(probe=Meanwhile(meanwhile)))

    @rule()
    def fill_everything(self) -> None:
        for name in sorted(self.whole.venue.orders):
            left = self.whole.venue.requests[name].quantity - self.whole.venue.filled(name)
            self.trade(name, left)
        self.work()

    @rule(mishap=st.sampled_from(Mishap))
    def the_venue_goes_wrong(self, mishap: Mishap) -> None:
        if mishap is not Mishap.FOREIGN_AFTER:
            self.whole.venue.plan.append(mishap)

    @rule(how=st.sampled_from(["repeat", "reorder", "lose", "spoil", "give back"]), data=st.data())
    def the_queue_misbehaves(self, how: str, data: st.DataObject) -> None:
        queue = self.whole.queue
        if how == "give back":
            queue.now_s += 60
        elif how == "reorder":
            queue.held = data.draw(st.permutations(queue.held))
        elif how == "lose" and queue.held:
            queue.held.remove(data.draw(st.sampled_from(queue.held)))
        elif how in {"repeat", "spoil"} and self.carried:
            message = data.draw(st.sampled_from(self.carried))
            body = message.body.replace('"quantity":"', '"quantity":"1') if how == "spoil" else message.body
            queue.send(OutgoingMessage(body, message.group, message.deduplication_id))

    def bury_everything(self) -> None:
        """Say of every sealed decision that its message died, as a queue may that lies."""
        for decision_id in self.newest_seals():
            self.number += 1
            letter = DeadLetterArrived(
                at=self.whole.clock.now(),
                mode=Mode.REPLAY,
                message_id=f"m-dead-{self.number}",
                group="main|paper|SPX",
                claimed_decision_id=decision_id,
                body_hash="0" * 64,
                receive_count=5,
                code="undelivered",
                message="it died",
            )
            self.whole.journal.append([letter])

    @rule()
    def redrive_everything(self) -> None:
        self.bury_everything()
        letters, answered = self.whole.letters(), set[str]()
        for event in self.whole.happened(DeadLetterArrived, DeadLetterAnswered):
            if isinstance(event, DeadLetterAnswered):
                answered.add(event.message_id)
        for event in self.whole.happened(DeadLetterArrived):
            if isinstance(event, DeadLetterArrived) and event.message_id not in answered:
                message_id = event.message_id
                self.tried(lambda: letters.redrive(message_id, by="operator", why="a drill"))  # noqa: B023

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        self.whole.clock.move_to(self.whole.clock.now() + timedelta(seconds=seconds))

    @rule(seconds=waits, asks=asks)
    def the_clock_goes_back_for_a_while(self, seconds: int, asks: list[tuple[int, str, str]]) -> None:
        right = self.whole.clock.now()
        self.whole.journal.append(
            [ev.AccountFunded(at=right, mode=Mode.REPLAY, account="spare", cash_usd=PRICE_USD)]
        )
        before = len(self.whole.happened(ev.EnvelopeSealed, ev.SendIntended))
        self.whole.clock.move_to(right - timedelta(seconds=seconds + 5))
        self.redrive_everything()
        self.propose(asks=asks)
        self.work()
        self.whole.clock.move_to(right)
        assert len(self.whole.happened(ev.EnvelopeSealed, ev.SendIntended)) == before

    @rule()
    def resume(self) -> None:
        for scope in tuple(self.whole.fold().book.trading_states):
            self.tried(lambda: self.whole.resume(scope))  # noqa: B023

    @rule(data=st.data(), part=st.sampled_from([Decimal("0.3"), Decimal(1)]))
    def fill(self, data: st.DataObject, part: Decimal) -> None:
        venue = self.whole.venue
        if venue.orders:
            name = data.draw(st.sampled_from(sorted(venue.orders)))
            asked = venue.requests[name].quantity
            self.trade(name, min(asked * part, asked - venue.filled(name)))

    def trade(self, client_order_id: str, quantity: Decimal) -> None:
        """Execute at the limit, the worst that the order allows."""
        venue = self.whole.venue
        if venue.orders[client_order_id].status is VenueStatus.WORKING:
            limit_usd = venue.requests[client_order_id].limit_price_usd
            venue.trade(client_order_id, quantity, price_usd=str(limit_usd))

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        if self.whole.venue.orders:
            self.whole.venue.expire(data.draw(st.sampled_from(sorted(self.whole.venue.orders))))

    def tried(self, act: Callable[[], object]) -> None:
        """Do it; a fault is an answer, everything else is a defect."""
        try:
            act()
        except Fault:
            return

    @invariant()
    def the_venue_never_has_more_of_a_decision_than_was_sealed(self) -> None:
        taken: Counter[str] = Counter()
        sealed = {event.decision_id: _order(event) for event in self.whole.happened(ev.EnvelopeSealed)}  # type: ignore[union-attr]
        for event in self.whole.happened(ev.SendIntended):
            if isinstance(event, ev.SendIntended) and event.client_order_id in self.whole.venue.orders:
                taken[event.decision_id] += event.quantity  # type: ignore[assignment]
        assert all(quantity <= sealed[owner].quantity for owner, quantity in taken.items())
        told = {event.client_order_id for event in self.whole.happened(ev.SendIntended)}  # type: ignore[union-attr]
        assert set(self.whole.venue.submits) <= told

    @invariant()
    def nothing_is_sealed_twice(self) -> None:
        """A decision is sealed anew only with a person's answer to a letter, and with nothing of it out."""
        seals: Counter[str] = Counter()
        redriven: Counter[str] = Counter()
        claims: dict[str, str] = {}
        out: dict[str, set[str]] = defaultdict(set)
        for recorded in self.whole.journal.recorded:
            match recorded.event:
                case DeadLetterArrived() as event:
                    claims[event.message_id] = event.claimed_decision_id or ""
                case DeadLetterAnswered() as event if event.answer is Answer.REDRIVEN:
                    redriven[claims[event.message_id]] += 1
                case ev.SendIntended() as event:
                    out[event.decision_id].add(event.client_order_id)
                case ev.OrderMoved() as event if event.step is OrderStep.PROVEN_ABSENT:
                    out[event.decision_id].discard(event.client_order_id)
                case ev.EnvelopeSealed() as event:
                    seals[event.decision_id] += 1
                    assert not out[event.decision_id]
        assert all(count <= 1 + redriven[owner] for owner, count in seals.items())

    @invariant()
    def exposure_stays_within_the_limits(self) -> None:
        book = self.whole.fold().book
        buys: dict[str, Decimal] = {
            name: book.position("main", name).quantity * PRICE_USD for name in INSTRUMENTS
        }
        sells = {name: book.position("main", name).quantity for name in INSTRUMENTS}
        free, on_order = book.cash_usd["main"], Decimal(0)
        for owner, (order, quantity) in self.open_orders().items():
            worst = quantity * max(order.limit_price_usd, PRICE_USD)
            on_order += worst
            if order.side is Side.BUY:
                buys[order.instrument] += worst
                free -= quantity * order.limit_price_usd
            else:
                sells[order.instrument] -= quantity
            assert owner in book.reservations
        assert max(buys.values()) <= LIMITS.max_position_notional_usd
        assert sum(buys.values()) <= LIMITS.max_gross_exposure_usd
        assert on_order <= LIMITS.max_open_orders_usd
        assert free >= 0
        assert min(sells.values()) >= 0

    @invariant()
    def every_sum_of_a_day_is_signed(self) -> None:
        now, open_orders = self.whole.clock.now(), self.open_orders()
        traded: defaultdict[str, Decimal] = defaultdict(Decimal)
        for event in self.whole.happened(ev.OrderFilled):
            if isinstance(event, ev.OrderFilled):
                traded[event.decision_id] += event.quantity * event.price_usd
        sums: defaultdict[tuple[int, object], Decimal] = defaultdict(Decimal)
        for owner, (order, at, names) in self.newest_seals().items():
            quantity = open_orders[owner][1] if owner in open_orders else Decimal(0)
            worth = traded[owner] + quantity * order.limit_price_usd
            for needed in (1, 2):
                if names < needed and at > now - DAY:
                    sums[needed, (order.instrument, order.side)] += worth
                    sums[needed, "all"] += worth
        most = {1: LIMITS.approval_notional_usd, 2: LIMITS.second_approval_notional_usd}
        most_in_all = {1: LIMITS.approval_total_24h_usd, 2: LIMITS.second_approval_total_24h_usd}
        for (needed, what), usd in sums.items():
            assert usd <= (most_in_all if what == "all" else most)[needed], (needed, what, usd)

    def newest_seals(self) -> dict[str, tuple[OrderIntent, datetime, int]]:
        """Return each sealed decision's order, when it was sealed last, and how many had signed."""
        return {
            event.decision_id: (_order(event), event.at, len(event.envelope.content.approvals))
            for event in self.whole.happened(ev.EnvelopeSealed)
            if isinstance(event, ev.EnvelopeSealed)
        }

    def open_orders(self) -> dict[str, tuple[OrderIntent, Decimal]]:
        """Return what may still trade of each decision, in base units, by the events alone."""
        left: dict[str, Decimal] = {}
        orders: dict[str, OrderIntent] = {}
        for recorded in self.whole.journal.recorded:
            match recorded.event:
                case ev.EnvelopeSealed() as event:
                    orders[event.decision_id] = _order(event)
                    left[event.decision_id] = orders[event.decision_id].quantity
                case ev.EnvelopeRejected() as event:
                    left.pop(event.decision_id, None)
                case ev.OrderMoved() as event if event.step in ENDS:
                    left.pop(event.decision_id, None)
                case ev.OrderFilled() as event if event.decision_id in left:
                    left[event.decision_id] -= event.quantity
        return {owner: (orders[owner], quantity) for owner, quantity in left.items() if quantity > 0}


def _order(event: ev.EnvelopeSealed) -> OrderIntent:
    intent = event.envelope.content.intent
    assert isinstance(intent, OrderIntent)
    return intent


HostileQueue.TestCase.settings = settings(
    stateful_step_count=16, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TestHostileQueue = pytest.mark.proof(HostileQueue.TestCase)
