"""Decides what leaves next for an order that is worked by a plan, and judges each child again.

Stage: journal → intention to send. It only looks, on the journal's newest state and a quote that was
fetched a moment ago; what it returns is appended with that state as its head.

# INVARIANT: a child passes the same checks as the first order of a decision: seal, people, callers,
# halts and limits as they are now, on all that may still be sent of it, at the child's own price.
# INVARIANT: whatever refuses a child ends the plan; it is never tried again at another moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from executor.algos.choosing import next_child
from executor.algos.lots import amount_of, whole_steps
from executor.algos.moves import CancelChild, Done, Market, Move, NextChild, Wait
from executor.algos.progress import Progress, begun, progress_of
from executor.brake import Brake
from executor.cancelling import Canceller
from executor.diary import Diary
from executor.identity import client_order_id
from executor.judgement import Judgement
from executor.venues.port import NewOrder, VenueProfile
from when_to_invest import events as ev
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import Ending
from when_to_invest.history import DecisionRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.quotes import Quote
from when_to_invest.verdicts import Approved
from when_to_invest.workings import ExecutionFinished, ExecutionPlanned, wish_of

REQUEST_VALIDITY: Final = timedelta(seconds=30)
"""How long after the intention to send the venue may still take the request."""
PATIENCE: Final = timedelta(seconds=1)
"""When to look again at an order that is being cancelled."""
CLOCK_FAULTS: Final = frozenset({ErrorCode.CLOCK_BACK, ErrorCode.CLOCK_AHEAD})
"""They say nothing of an envelope: once the clock is right it is looked at again."""


@dataclass(slots=True)
class Turn:
    """What the last look at a plan came to; a decision that is made again overwrites it."""

    move: Move | None = None
    order: NewOrder | None = None
    """What the venue is to hear when an intention to send was recorded."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One plan at one moment."""

    envelope: Envelope
    intent: OrderIntent
    progress: Progress
    seen: Market

    @property
    def decision_id(self) -> str:
        return self.envelope.content.decision_id


class Children:
    """Turns plans into events; it sends nothing itself."""

    def __init__(
        self,
        *,
        diary: Diary,
        judgement: Judgement,
        brake: Brake,
        canceller: Canceller,
        profile: VenueProfile,
    ) -> None:
        self._diary = diary
        self._judgement = judgement
        self._brake = brake
        self._canceller = canceller
        self._profile = profile

    def begin(self, record: DecisionRecord, seen: Market, *, turn: Turn) -> Sequence[ev.Event]:
        """Return the plan's beginning, and its first child when that is due; nothing without a fresh quote.

        The decision was verified and judged as a whole on the same state.
        """
        intent, envelope = record.intent, record.envelope
        if not isinstance(intent, OrderIntent) or intent.execution is None or envelope is None:
            return ()
        quote = _fresh(seen, intent, at=self._diary.now())
        if quote is None:
            return ()
        planned = self._planned(envelope, intent, quote)
        wish = record.working.wish if record.working is not None else wish_of(intent)
        case = _Case(envelope, intent, begun(intent, planned, wish=wish), seen)
        return (planned, *self._moved(case, turn))

    def go_on(self, record: DecisionRecord, seen: Market, *, turn: Turn) -> Sequence[ev.Event]:
        """Return what follows for a plan that has begun; nothing while it waits."""
        self._diary.demand_forward()
        progress = progress_of(record)
        if progress is None or progress.ending is not None or record.envelope is None:
            turn.move = Wait(None, "it is not being worked")
            return ()
        if not isinstance(record.intent, OrderIntent):
            return ()
        case = _Case(record.envelope, record.intent, progress, seen)
        if (objection := self._stopped(record)) is not None:
            return self._stop(case, objection, turn)
        return self._moved(case, turn)

    def is_stopped(self, record: DecisionRecord) -> bool:
        """Whether a halt leaves a plan neither an open order nor another one."""
        return self._stopped(record) is not None

    def _stopped(self, record: DecisionRecord) -> str | None:
        halts = self._brake.switch.read()
        objection = self._brake.objection(record.intent, halts)
        if objection is None or self._canceller.may_stay(record, halts):
            return None
        return objection

    def _stop(self, case: _Case, objection: str, turn: Turn) -> Sequence[ev.Event]:
        """End a plan that was halted, once no order of it can trade any more."""
        child = next((child for child in case.progress.children if child.is_open), None)
        if child is not None:
            turn.move = CancelChild(child.client_order_id, "trading was halted")
            return ()
        return (_finished(self._diary, case, Ending.REFUSED, why=f"{objection}: trading was halted"),)

    def _moved(self, case: _Case, turn: Turn) -> Sequence[ev.Event]:
        plan = case.intent.execution
        if plan is None:
            return ()
        move = next_child(plan, progress=case.progress, market=case.seen, now=self._diary.now())
        turn.move, turn.order = move, None
        match move:
            case NextChild():
                return self._child(case, move, turn)
            case Done():
                return (_finished(self._diary, case, move.ending),)
            case CancelChild() | Wait():
                return ()
            case _:
                assert_never(move)

    def _child(self, case: _Case, move: NextChild, turn: Turn) -> Sequence[ev.Event]:
        if (why := self._objection(case)) is not None:
            return (_finished(self._diary, case, Ending.REFUSED, why=why),)
        content = case.envelope.content
        rest = _rest(case, move)
        opinion = self._judgement.judge(content.model_copy(update={"intent": rest}))
        if not isinstance(opinion.verdict, Approved):
            codes = ", ".join(reason.code for reason in opinion.event.reasons)
            why = f"the executor's own judgement: {opinion.event.outcome.value} ({codes})"
            return (opinion.event, _finished(self._diary, case, Ending.REFUSED, why=why))
        intended = self._intended(case, move)
        turn.order = _request(case, intended, move)
        return (opinion.event, intended)

    def _objection(self, case: _Case) -> str | None:
        """Return why nothing more of an envelope may be acted on, whatever the limits say."""
        content = case.envelope.content
        try:
            self._judgement.verify(case.envelope, begun_at=case.progress.starts_at)
        except Fault as fault:
            if fault.code in CLOCK_FAULTS:
                raise
            return f"{fault.code.value}: {fault.message}"
        if self._brake.is_from_before(case.intent, sealed_at=content.sealed_at):
            return "trading_halted: sealed before a halt was lifted"
        return None

    def _intended(self, case: _Case, move: NextChild) -> ev.SendIntended:
        name = client_order_id(
            case.decision_id,
            slice_index=move.slice_index,
            attempt=move.attempt,
            shape=self._profile.client_id_shape,
        )
        return ev.SendIntended(
            at=self._diary.now(),
            mode=self._diary.mode,
            decision_id=case.decision_id,
            client_order_id=name,
            attempt=move.attempt,
            venue=case.intent.venue,
            instrument=case.intent.instrument,
            side=case.intent.side,
            quantity=move.quantity,
            limit_price_usd=move.limit_price_usd,
            slice_index=move.slice_index,
        )

    def _planned(self, envelope: Envelope, intent: OrderIntent, quote: Quote) -> ExecutionPlanned:
        now, terms = self._diary.now(), self._judgement.instrument(intent.instrument)
        return ExecutionPlanned(
            at=now,
            mode=self._diary.mode,
            decision_id=envelope.content.decision_id,
            starts_at=now,
            ends_at=now + timedelta(seconds=_duration_s(intent)),
            bid_usd=quote.bid_usd,
            ask_usd=quote.ask_usd,
            quoted_at=quote.at,
            lot_size=terms.lot_size,
            tick_size_usd=terms.tick_size_usd,
            min_quantity=terms.lot_size,
            min_notional_usd=terms.min_notional_usd,
        )


def _finished(diary: Diary, case: _Case, ending: Ending, *, why: str = "") -> ExecutionFinished:
    return ExecutionFinished(
        at=diary.now(),
        mode=diary.mode,
        decision_id=case.decision_id,
        ending=ending,
        unfilled_quantity=case.progress.unfilled_quantity,
        why=why[:500],
    )


def _request(case: _Case, intended: ev.SendIntended, move: NextChild) -> NewOrder:
    """Return what the venue is to hear of an intention to send."""
    return NewOrder(
        client_order_id=intended.client_order_id,
        instrument=intended.instrument,
        side=intended.side,
        quantity=intended.quantity,
        limit_price_usd=intended.limit_price_usd,
        time_in_force=move.time_in_force,
        valid_until=min(intended.at + REQUEST_VALIDITY, case.progress.ends_at),
    )


def _rest(case: _Case, move: NextChild) -> OrderIntent:
    """Return all that may still be sent of an order, in whole lots, at the child's price."""
    lot = case.progress.terms.lot_size
    left = amount_of(whole_steps(case.progress.left, lot), lot)
    if move.quantity > left:
        raise Fault(
            ErrorCode.INTERNAL,
            f"a child of {case.decision_id} would be larger than what is left",
            fix="report this; nothing was sent",
        )
    changed = {"quantity": left, "limit_price_usd": move.limit_price_usd}
    return case.intent.model_copy(update=changed)


def _fresh(seen: Market, intent: OrderIntent, *, at: datetime) -> Quote | None:
    quote = seen.quote
    if quote is None or quote.instrument != intent.instrument:
        return None
    return quote if quote.at <= at <= quote.at + seen.stale_after else None


def _duration_s(intent: OrderIntent) -> int:
    return intent.execution.duration_s if intent.execution is not None else 0
