"""Sells what a loss breaker says must go: half of each position, or everything, once a trip.

Stage: orders server, between its look at the halts and its outbox, as the proposer `risk`. Each
piece goes through the gate like anybody's order, and waits for people where that one would.
What was sold already is read from the journal alone, so a process that dies goes on where it
was. It must never buy, lift a halt, promise more than is held, or sell after a loss that it does
not see on its own prices.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from home.callers import RISK
from home.settings import OnLoss
from ledger.journal import Journal
from ledger.live import LiveLedger
from policies.exposures import instruments_to_mark
from policies.losses import Trip, loss_doubt, loss_trip
from policies.unwinding import Sale, due_quantity, piece_quantity
from tool_servers.orders.court import Case, Court
from tool_servers.orders.market_view import marks_of
from tool_servers.orders.minutes import commit, order_intent
from tool_servers.orders.proposal import Proposal, limit_price_usd
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import CancelRequested, Event, IntentProposed
from when_to_invest.history import FINAL_STATES, DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent, Side, TimeInForce, decision_id_of

MOST_AT_ONCE: Final = 10
"""Pieces proposed in one look; the next look follows within seconds."""
RETRY_AFTER: Final = timedelta(minutes=15)
"""How long a piece that came to nothing, or one of the same size, keeps the next one waiting."""
_log = logging.getLogger(__name__)
_UNPRICED: Final = frozenset(
    {ErrorCode.UNKNOWN_INSTRUMENT, ErrorCode.NO_DATA, ErrorCode.CORRUPT_DATA, ErrorCode.AS_OF_BEFORE_DATA}
)


@dataclass(frozen=True, slots=True)
class Unwinder:
    """Proposes for one home; with `on_loss = "stop"` it does nothing."""

    journal: Journal
    ledger: LiveLedger
    court: Court
    doubted: set[str] = field(default_factory=set)
    """Breakers whose loss was not seen here, told once each."""

    def look(self) -> int:
        """Propose what is due, and cancel what is no longer; return how often anything was said.

        Raises:
            Fault: `clock_back`, or what the journal raises; nothing is half said.
        """
        if self.court.settings.risk.on_loss is OnLoss.STOP:
            return 0
        for count in range(MOST_AT_ONCE):
            said: list[Event] = []

            def decide(said: list[Event] = said) -> Sequence[Event]:
                said[:] = self._due()
                return said

            commit(self.journal, self.ledger, decide)
            if not said:
                return count
        return MOST_AT_ONCE

    def _due(self) -> Sequence[Event]:
        """Return the next piece with the gate's verdict, or the cancels of a trip that people ended."""
        now = self.court.clock.now()
        self.ledger.demand_forward(now)
        trip = loss_trip(self.ledger.book.standing, account=self.court.settings.account)
        if cancels := self._cancels(trip, now=now):
            return cancels
        if trip is None or not self._is_seen(trip, now=now):
            return ()
        pieces = tuple(self._pieces(trip))
        for name in self._held():
            if intent := self._intent(name, trip, pieces, now=now):
                return self._opened(intent)
        return ()

    def _is_seen(self, trip: Trip, *, now: datetime) -> bool:
        """Return whether the loss shows on this process's own prices; the doubt is logged once a trip."""
        book, court = self.ledger.book, self.court
        prices = marks_of(lambda name: court.view.reference(name, now=now), instruments_to_mark(book))
        account = court.settings.account
        doubt = loss_doubt(account, book=book, prices=prices, limits=court.limits, now=now)
        if doubt is not None and trip.event_digest not in self.doubted:
            self.doubted.add(trip.event_digest)
            _log.warning("nothing is sold after the loss breaker %s: %s", trip.event_digest[:12], doubt)
        return doubt is None

    def _cancels(self, trip: Trip | None, *, now: datetime) -> list[Event]:
        known = self.ledger.decisions
        mine = (item for item in (*known.open(), *known.in_state(DecisionState.HELD)) if item.caller == RISK)
        return [
            CancelRequested(at=now, mode=self.court.settings.mode, decision_id=item.decision_id, caller=RISK)
            for item in mine
            if not item.is_cancel_requested
            and (trip is None or not item.intent.request_id.startswith(trip.request_prefix))
        ]

    def _pieces(self, trip: Trip) -> Iterator[DecisionRecord]:
        """Yield what was proposed for a trip so far, in order."""
        number = 1
        while (record := self.ledger.decisions.get(_decision_id(trip, number))) is not None:
            yield record
            number += 1

    def _held(self) -> list[str]:
        account = self.court.settings.account
        positions = self.ledger.book.positions.items()
        return sorted(name for (owner, name), item in positions if owner == account and item.quantity > 0)

    def _intent(
        self, name: str, trip: Trip, pieces: Sequence[DecisionRecord], *, now: datetime
    ) -> OrderIntent | None:
        """Return the next piece of an instrument; none when nothing is due, or not yet."""
        own = [item for item in pieces if order_intent(item).instrument == name]
        if any(_keeps_waiting(item, now=now) for item in own):
            return None
        try:
            draft = self._draft(name, request_id=f"{trip.request_prefix}{len(pieces) + 1}", now=now)
            sale = self._sale(draft, own, now=now)
        except Fault as fault:
            if fault.code not in _UNPRICED:
                raise
            return None
        quantity = piece_quantity(
            draft, sale, book=self.ledger.book, limits=self.court.limits_of(RISK), now=now
        )
        is_again = any(_is_alike(item, quantity, now=now) for item in own)
        return None if quantity <= 0 or is_again else draft.model_copy(update={"quantity": quantity})

    def _draft(self, name: str, *, request_id: str, now: datetime) -> OrderIntent:
        """Return a sale of one lot at the usual collar."""
        settings, view = self.court.settings, self.court.view
        instrument, reference = view.instrument(name), view.reference(name, now=now)
        wanted = Proposal(name, Side.SELL, Decimal(0), None, None, request_id)
        return OrderIntent(
            mode=settings.mode,
            account=settings.account,
            venue=settings.venue,
            instrument=name,
            side=Side.SELL,
            quantity=instrument.lot_size,
            limit_price_usd=limit_price_usd(wanted, instrument=instrument, reference=reference),
            time_in_force=TimeInForce.DAY,
            why="the account lost more than it may",
            proposer=RISK,
            request_id=request_id,
            proposed_at=now,
        )

    def _sale(self, draft: OrderIntent, own: Sequence[DecisionRecord], *, now: datetime) -> Sale:
        book, view = self.ledger.book, self.court.view
        reference = view.reference(draft.instrument, now=now)
        opened = (book.reservations.get(item.decision_id) for item in own)
        waiting = (order_intent(item).quantity for item in own if _waits_for_people(item, now=now))
        due = due_quantity(
            draft,
            book=book,
            share=self.court.settings.risk.on_loss.share,
            sold=sum((item.filled_quantity for item in own), Decimal(0)),
            opened=sum((item.quantity_open for item in opened if item is not None), Decimal(0)),
            waiting=sum(waiting, Decimal(0)),
        )
        worst_usd = (
            draft.limit_price_usd if reference is None else max(reference.price_usd, draft.limit_price_usd)
        )
        return Sale(view.instrument(draft.instrument), due, worst_usd)

    def _opened(self, intent: OrderIntent) -> tuple[Event, ...]:
        decision_id = decision_id_of(proposer=RISK, request_id=intent.request_id)
        proposed = IntentProposed(
            at=intent.proposed_at, mode=intent.mode, decision_id=decision_id, caller=RISK, intent=intent
        )
        return (proposed, *self.court.hear(Case(decision_id, intent), self.ledger.book))


def _decision_id(trip: Trip, number: int) -> str:
    return decision_id_of(proposer=RISK, request_id=f"{trip.request_prefix}{number}")


def _waits_for_people(record: DecisionRecord, *, now: datetime) -> bool:
    ends = None if record.verdict is None else record.verdict.hold_expires_at
    is_held = record.state is DecisionState.HELD and not record.is_cancel_requested
    return is_held and ends is not None and now < ends


def _keeps_waiting(record: DecisionRecord, *, now: datetime) -> bool:
    """Whether nothing more of its instrument is proposed: people said no, or it failed a moment ago."""
    if record.state is DecisionState.DECLINED or record.is_cancel_requested:
        return True
    has_failed = record.state in FINAL_STATES - {DecisionState.FILLED, DecisionState.SETTLED}
    return has_failed and _is_recent(record, now=now)


def _is_alike(record: DecisionRecord, quantity: Decimal, *, now: datetime) -> bool:
    return order_intent(record).quantity == quantity and _is_recent(record, now=now)


def _is_recent(record: DecisionRecord, *, now: datetime) -> bool:
    return now - record.intent.proposed_at < RETRY_AFTER
