"""Watches the invariants of the architecture, after every step, against the venue's own truth.

What is folded here is folded from the journal alone; what is counted is counted apart from the
executor's own counting. A violation is kept and ends the run: nothing that an executor catches
can hide it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from executor.venues.port import NewOrder, VenueStatus
from ledger.journal import GENESIS, link_hash
from ledger.live import LiveLedger
from tests.executor.simulation.loop import Process
from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.errors import Fault
from when_to_invest.history import DecisionRecord
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.letters import DeadLetterArrived
from when_to_invest.orders import OrderState

if TYPE_CHECKING:
    from tests.executor.simulation.world import World

ZERO = Decimal(0)


class ViolationError(AssertionError):
    """An invariant does not hold."""


class Watch:
    """Looks whenever journal or venue have changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ledger = LiveLedger(world.journal, is_warranted=lambda event, home_id: True, kept=None)
        self.violation: ViolationError | None = None
        self.checks = 0
        self.owner: Process | None = None
        """Whose epoch it is."""
        self._epoch_at = 0
        self._seen = 0
        self._decision_of: dict[str, str] = {}
        self._orders_of: defaultdict[str, list[str]] = defaultdict(list)
        self._booked: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._trades: set[tuple[str, str, str]] = set()

    # What is looked at while it happens.

    def appended(self, events: Sequence[ev.Event], process: Process) -> None:
        """Nobody writes after a newer executor has announced itself."""
        if process.built_at < self._epoch_at and self.owner is not process:
            self._violated(f"{process.name} wrote {events[0].kind} after {self.owner} had taken over")
        if any(isinstance(event, ev.RecoveryCompleted) for event in events):
            self.owner, self._epoch_at = process, self._world.journal.head().sequence

    def at_the_door(self, order: NewOrder, process: Process) -> None:
        """An order leaves: it was intended, approved, is not halted, is the only one, and is the newest's."""
        self.look()
        name, venue = order.client_order_id, self._world.venue
        decision_id = self._decision_of.get(name)
        if decision_id is None:
            self._violated(f"{name} was sent without an intention in the journal")
            return
        record = self.ledger.decisions[decision_id]
        self._demand(name not in venue.submitted, f"{name} was sent twice")
        self._demand(self.owner is process, f"{process.name} sent {name} in the epoch of {self.owner}")
        self._check_intention(order, record)
        self._check_halts(record)
        held = self._committed(decision_id) + order.quantity
        self._demand(
            held <= record.authorised_quantity,
            f"{held} of {decision_id} could trade, authorised are {record.authorised_quantity}",
        )

    def _check_intention(self, order: NewOrder, record: DecisionRecord) -> None:
        known = record.orders[order.client_order_id]
        sent = known.sent
        said = (sent.quantity, sent.limit_price_usd, sent.instrument, sent.side)
        leaves = (order.quantity, order.limit_price_usd, order.instrument, order.side)
        self._demand(known.state is OrderState.SEND_INTENDED, f"it leaves while it is {known.state}")
        self._demand(said == leaves, f"{leaves} leaves, intended was {said}")
        verdict = record.verdict
        is_approved = verdict is not None and verdict.outcome is ev.Outcome.APPROVED
        by_executor = verdict is not None and verdict.judge is ev.Judge.EXECUTOR
        self._demand(is_approved and by_executor, "it leaves without the executor's own approval")

    def _check_halts(self, record: DecisionRecord) -> None:
        intent = record.intent
        assert isinstance(intent, OrderIntent)
        scopes = {
            "system",
            f"account:{intent.account}",
            f"venue:{intent.venue}",
            f"instrument:{intent.instrument}",
        }
        for halt in self.halts():
            is_free = halt.state is TradingState.REDUCING and intent.side is Side.SELL
            if halt.scope in scopes and not is_free:
                self._violated(f"an order left under a halt of {halt.scope}: {halt.why}")

    def halts(self) -> Iterable[Halt]:
        """Return every halt in force: the journal's, and latches that nobody lifted."""
        yield from self.ledger.book.standing.standing()
        yield from self._world.latch.halts

    # What is looked at after every step.

    def look(self) -> None:
        """Check whatever decision has changed since the last look."""
        journal, venue = self._world.journal, self._world.venue
        if len(journal.recorded) == self._seen and not venue.touched:
            return
        try:
            self.ledger.refresh()
        except Fault as fault:
            self._violated(f"the journal tells what cannot be: {fault.message}")
            return
        changed: set[str] = {self._decision_of[n] for n in venue.touched if n in self._decision_of}
        venue.touched.clear()
        for item in journal.recorded[self._seen :]:
            changed |= self._heard(item.event)
        self._seen = len(journal.recorded)
        for decision_id in changed:
            self._check(decision_id)

    def _heard(self, event: ev.Event) -> set[str]:
        if isinstance(event, ev.SendIntended):
            self._decision_of[event.client_order_id] = event.decision_id
            self._orders_of[event.decision_id].append(event.client_order_id)
        if isinstance(event, ev.OrderFilled):
            self._booked_once(event)
        decision_id = getattr(event, "decision_id", None)
        return {decision_id} if decision_id in self._orders_of else set()

    def _booked_once(self, event: ev.OrderFilled) -> None:
        self._demand(event.trade not in self._trades, f"trade {event.trade_id} was booked twice")
        self._trades.add(event.trade)
        self._booked[event.client_order_id] += event.quantity
        kept = self._world.venue.orders.get(event.client_order_id)
        true = [trade for trade in kept.trades if trade.trade_id == event.trade_id] if kept else []
        told = (event.quantity, event.price_usd, event.fee_usd)
        is_true = [(trade.quantity, trade.price_usd, trade.fee_usd) for trade in true] == [told]
        self._demand(is_true, f"trade {event.trade_id} was booked and never happened")

    def _check(self, decision_id: str) -> None:
        self.checks += 1
        record = self.ledger.decisions[decision_id]
        orders = self._orders_of[decision_id]
        executed = sum((self._executed(name) for name in orders), ZERO)
        booked = sum((self._booked[name] for name in orders), ZERO)
        committed = self._committed(decision_id)
        authorised = record.authorised_quantity
        self._demand(executed <= authorised, f"{executed} of {decision_id} traded, authorised {authorised}")
        self._demand(committed <= authorised, f"{committed} of {decision_id} may trade of {authorised}")
        self._demand(booked <= executed, f"{booked} of {decision_id} is booked, {executed} traded")
        reservation = self.ledger.book.reservations.get(decision_id)
        reserved = reservation.quantity_open if reservation else ZERO
        exposed = committed - booked
        self._demand(reserved >= exposed, f"{exposed} of {decision_id} is out, {reserved} reserved")

    def _executed(self, name: str) -> Decimal:
        kept = self._world.venue.orders.get(name)
        return kept.filled if kept else ZERO

    def _committed(self, decision_id: str) -> Decimal:
        """Return what traded of a decision, and what still may."""
        return sum((self._may_trade(name) for name in self._orders_of[decision_id]), ZERO)

    def _may_trade(self, name: str) -> Decimal:
        venue = self._world.venue
        kept, coming = venue.orders.get(name), venue.under_way.get(name)
        if kept is not None:
            return kept.filled + kept.rest
        is_coming = coming is not None and self._world.true_now() <= coming.valid_until
        return coming.quantity if coming is not None and is_coming else ZERO

    # What is looked at once, when everything has settled.

    def at_the_end(self) -> None:
        """Journal and venue agree to the unit, nothing is lost, and the chain holds."""
        self.look()
        venue, now = self._world.venue, []
        for decision_id, record in self.ledger.decisions.items():
            for name in record.orders:
                self._demand(
                    self._booked[name] == self._executed(name),
                    f"{self._executed(name)} of {name} traded, {self._booked[name]} is booked",
                )
            is_working = any(
                name in venue.orders and venue.orders[name].status is VenueStatus.WORKING
                for name in record.orders
            )
            is_in_quarantine = any(order.state is OrderState.QUARANTINED for order in record.orders.values())
            if is_working != record.is_open and record.envelope is not None and not is_in_quarantine:
                now.append(
                    f"{decision_id} is {record.state}, at the venue {'' if is_working else 'not '}open"
                )
        strays = [name for name in venue.orders if name not in self._decision_of]
        self._demand(not now and not strays, "; ".join([*now, *strays]))
        self._check_queue()
        self._check_chain()

    def _check_queue(self) -> None:
        world = self._world
        self._demand(world.queue.is_empty(), f"{len(world.queue.held)} messages are left in the queue")
        heard = [item.event for item in world.journal.recorded]
        told = {event.message_id for event in heard if isinstance(event, DeadLetterArrived)}
        untold = [letter for letter in world.queue.letters.values() if letter.message_id not in told]
        self._demand(not untold, f"{len(untold)} dead letters without a reason in the journal")

    def _check_chain(self) -> None:
        previous, journal = GENESIS, self._world.journal
        for item, written in zip(journal.recorded, journal.canonical, strict=True):
            known = link_hash(sequence=item.sequence, previous_hash=previous, event_canonical=written)
            self._demand((item.previous_hash, item.hash) == (previous, known), f"event {item.sequence}")
            previous = item.hash

    def _demand(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            self._violated(what)

    def _violated(self, what: str) -> None:
        if self.violation is None:
            self.violation = ViolationError(what)
            self._world.say(f"VIOLATION: {what}")
