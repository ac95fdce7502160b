"""Every decision the journal knows, by id: in memory while something may come of it, else on the shelf.

Stage: fold. A decision on the shelf is read again from the journal when it is asked for, each
event against the hash it had when it was folded. So no answer depends on what lies where, and
"unknown" means that the journal does not know it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from ledger.chain import corrupt
from ledger.journal import Journal, Recorded
from ledger.shelf import Card, Shelf, Wanted
from when_to_invest import events as ev
from when_to_invest.history import FINAL_STATES, DecisionRecord, DecisionState, proposed_twice
from when_to_invest.intents import OrderIntent
from when_to_invest.portfolio import AccountBook
from when_to_invest.workings import ExecutionFinished

KEPT: Final = 64
"""Decisions kept in memory while few are open; more would leave the processor's own memory."""
_LOOKED_AT: Final = 4
_ORDERED: Final = frozenset({ev.SendIntended, ev.OrderMoved, ev.OrderFilled, ev.OrderSettled})
_ENDING: Final = frozenset(
    {
        ev.IntentJudged,
        ev.ApprovalDeclined,
        ev.EnvelopeRejected,
        ev.OrderMoved,
        ev.OrderFilled,
        ExecutionFinished,
        ev.OrderSettled,
    }
)
"""After which a decision may be over."""


@dataclass(slots=True)
class _Entry:
    """A decision in memory, where its events stand, and what they hash to."""

    number: int
    record: DecisionRecord
    places: list[int] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)


class Found(NamedTuple):
    """Some of the decisions asked for, and how many there are."""

    records: tuple[DecisionRecord, ...]
    total: int


class _Known(Mapping[str, DecisionRecord]):
    """What is asked about decisions; iterates oldest first."""

    def __init__(
        self, journal: Journal, book: AccountBook, *, kept: int | None = KEPT, shelf: Shelf | None = None
    ) -> None:
        self._journal = journal
        self._book = book
        self._shelf = shelf or Shelf()
        self._live: OrderedDict[str, _Entry] = OrderedDict()
        self._kept = kept
        self._count = 0
        self._open: tuple[DecisionRecord, ...] | None = ()
        self.is_catching_up = False
        """Whether many events follow: a decision is laid aside as soon as it has ended."""

    def __getitem__(self, decision_id: str) -> DecisionRecord:
        """Return a decision; one from the shelf is a copy that later events do not reach."""
        entry = self._live.get(decision_id)
        if entry is not None:
            return entry.record
        card = self._shelf.of_decision(decision_id)
        if card is None:
            raise KeyError(decision_id)
        return _read(self._journal, card).record

    def __contains__(self, decision_id: object) -> bool:
        """Whether the journal knows that decision."""
        return decision_id in self._live or (
            isinstance(decision_id, str) and self._shelf.of_decision(decision_id) is not None
        )

    def __len__(self) -> int:
        """Return how many decisions the journal knows."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Yield every id, oldest proposal first."""
        shelved = ((card.number, card.decision_id) for card in self._shelf.cards(Wanted()))
        live = sorted((entry.number, decision_id) for decision_id, entry in self._live.items())
        return (decision_id for _, decision_id in merge(shelved, live))

    @property
    def in_memory(self) -> int:
        """Return how many decisions are held in memory."""
        return len(self._live)

    def open(self) -> tuple[DecisionRecord, ...]:
        """Return the decisions of which something may still come at a venue, oldest first."""
        if self._open is None:
            alive = sorted((e.number, e.record) for e in self._live.values() if e.record.is_open)
            self._open = tuple(record for _, record in alive)
        return self._open

    def in_state(self, state: DecisionState) -> Iterator[DecisionRecord]:
        """Yield the decisions in one state, oldest first."""
        return self._matching(Wanted(state=state), lambda record: record.state is state)

    def that_may_trade_late(self) -> Iterator[DecisionRecord]:
        """Yield decisions with an order that ended and that a late trade may still follow."""
        return self._matching(Wanted(may_trade_late=True), lambda record: record.may_trade_late)

    def newest(
        self, *, state: DecisionState | None = None, proposers: frozenset[str] | None = None, limit: int
    ) -> Found:
        """Return the newest orders in `state`, of these proposers (any without), at most `limit`."""
        wanted = Wanted(state=state, proposers=proposers, is_order=True)
        live = {
            entry.number: entry.record
            for entry in self._live.values()
            if _is_wanted(entry.record, state=state, proposers=proposers)
        }
        shelved = {c.number: c for c in islice(self._shelf.cards(wanted, is_newest_first=True), limit)}
        numbers = sorted([*live, *shelved], reverse=True)[:limit]
        records = (live[n] if n in live else _read(self._journal, shelved[n]).record for n in numbers)
        return Found(tuple(records), len(live) + self._shelf.count(wanted))

    def has_trade(self, venue: str, instrument: str, trade_id: str) -> bool:
        """Whether a trade was booked; each is booked once, for ever."""
        trade = (venue, instrument, trade_id)
        return trade in self._book.seen_trades or self._shelf.of_trade(trade) is not None

    def has_order(self, client_order_id: str) -> bool:
        """Return whether an order of that id was ever about to be sent."""
        return client_order_id in self._book.order_states or self._shelf.of_order(client_order_id) is not None

    def _matching(self, wanted: Wanted, fits: Callable[[DecisionRecord], bool]) -> Iterator[DecisionRecord]:
        live = sorted((e.number, e) for e in self._live.values() if fits(e.record))
        waiting: Iterable[tuple[int, Card | _Entry]] = merge(
            ((card.number, card) for card in self._shelf.cards(wanted)), live, key=lambda item: item[0]
        )
        for _, item in waiting:
            yield item.record if isinstance(item, _Entry) else _read(self._journal, item).record


class Decisions(_Known):
    """Mutable fold over one journal and the account book beside it."""

    def apply(self, recorded: Recorded) -> bool:
        """Advance book and decision by one event of a decision; return whether anybody had proposed it.

        Raises:
            Fault: `illegal_transition` when it cannot have happened.
        """
        sequence, _, own_hash, event = recorded
        decision_id: str = event.decision_id  # type: ignore[union-attr]
        entry = self._live.get(decision_id)
        if entry is None:
            entry = self._recalled(self._shelf.of_decision(decision_id))
        kind = type(event)
        was_open = entry is not None and entry.record.is_open
        if kind is ev.IntentProposed:
            entry = self._opened(event, is_known=entry is not None)  # type: ignore[arg-type]
        elif entry is None:
            return False
        else:
            if kind in _ORDERED:
                self._make_ready(event)  # type: ignore[arg-type]
            self._book.apply(event)
            entry.record.apply(event)
        entry.places.append(sequence)
        entry.hashes.append(own_hash)
        self._open = self._open if entry.record.is_open is was_open else None
        if not self.is_catching_up:
            self._live.move_to_end(decision_id)
            self._make_room()
        elif kind in _ENDING and entry.record.state in FINAL_STATES:
            # Now its events are still in the processor's own memory.
            self._end(decision_id, entry)
        elif kind is ev.IntentProposed:
            self._make_room()
        return True

    def _opened(self, event: ev.IntentProposed, *, is_known: bool) -> _Entry:
        if is_known:
            raise proposed_twice(event.decision_id)
        self._book.apply(event)
        record = DecisionRecord(event.decision_id, event.intent, event.caller, events=[event])
        entry = self._live[event.decision_id] = _Entry(self._count, record)
        self._count += 1
        return entry

    def _make_room(self) -> None:
        """Shelve some of what nothing is expected of, when enough has gathered."""
        if self._kept is not None and len(self._live) > self._kept:
            self._lay_aside(self._kept)

    def _end(self, decision_id: str, entry: _Entry) -> None:
        if self._kept is not None and self._is_over(decision_id, entry):
            self._shelve(decision_id, entry)

    def _make_ready(self, event: ev.SendIntended | ev.OrderMoved | ev.OrderFilled | ev.OrderSettled) -> None:
        """Bring back to the book what it knew of this order and this trade."""
        if event.client_order_id not in self._book.order_states:
            self._recalled(self._shelf.of_order(event.client_order_id))
        if type(event) is ev.OrderFilled and self.has_trade(*event.trade):
            self._book.seen_trades.add(event.trade)

    def _recalled(self, card: Card | None) -> _Entry | None:
        if card is None:
            return None
        entry = self._live[card.decision_id] = _read(self._journal, card)
        self._book.recall(card.decision_id, orders=dict(card.orders), trades=card.trades)
        self._shelf.take(card)
        self._open = None
        return entry

    def _lay_aside(self, most: int) -> None:
        """Shelve what nothing is expected of, among a few of those that were touched longest ago."""
        for _ in range(min(_LOOKED_AT, len(self._live))):
            decision_id, entry = next(iter(self._live.items()))
            if not self._is_over(decision_id, entry):
                self._live.move_to_end(decision_id)
                continue
            self._shelve(decision_id, entry)
            if len(self._live) <= most:
                return

    def _is_over(self, decision_id: str, entry: _Entry) -> bool:
        return decision_id not in self._book.reservations and not entry.record.is_open

    def _shelve(self, decision_id: str, entry: _Entry) -> None:
        card = _card_of(entry, self._book)
        self._shelf.put(card)
        del self._live[decision_id]
        self._book.forget(decision_id, trades=card.trades)


def _card_of(entry: _Entry, book: AccountBook) -> Card:
    record = entry.record
    decision_id, intent = record.decision_id, record.intent
    told = (
        entry.number,
        decision_id,
        record.state,
        intent.proposer,
        isinstance(intent, OrderIntent),
        record.may_trade_late,
        tuple(entry.places),
        _digest(entry.hashes),
        book.orders_known(decision_id),
        tuple([fill.trade for fill in record.fills]),
    )
    # The same as calling `Card`, which takes three times as long.
    return tuple.__new__(Card, told)


def _read(journal: Journal, card: Card) -> _Entry:
    """Fold a decision anew from the journal, on exactly the events that were folded before.

    Raises:
        Fault: `journal_corrupt` when they are not there or not the same.
    """
    told = list(journal.pick(card.places))
    hashes = [recorded.hash for recorded in told]
    if _digest(hashes) != card.digest:
        raise corrupt(card.places[0], "it, or a later one of its decision, is not what was read before")
    first, *others = (recorded.event for recorded in told)
    if not isinstance(first, ev.IntentProposed):
        raise corrupt(card.places[0], "it opens no decision")
    record = DecisionRecord(first.decision_id, first.intent, first.caller, events=[first])
    for event in others:
        record.apply(event)
    return _Entry(card.number, record, list(card.places), hashes)


def _is_wanted(
    record: DecisionRecord, *, state: DecisionState | None, proposers: frozenset[str] | None
) -> bool:
    return (
        state in {None, record.state}
        and isinstance(record.intent, OrderIntent)
        and (proposers is None or record.intent.proposer in proposers)
    )


def _digest(hashes: Iterable[str]) -> bytes:
    return hashlib.sha256("".join(hashes).encode()).digest()
