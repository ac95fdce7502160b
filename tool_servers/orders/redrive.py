"""What becomes of a dead letter: the decision is judged and sealed anew, or the letter is thrown away.

Only a person's token reaches this. The old bytes are never sent again: what was proven not
to have been executed goes before the gate on fresh facts, under the same decision id, so
whatever else still floats in the queue can execute nothing besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.court import Case
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.minutes import Decide, commit, order_intent, record_of
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EnvelopeSealed, Event, IntentJudged
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent
from when_to_invest.letters import Answer, DeadLetterAnswered, Letter, letterbox
from when_to_invest.orders import OrderState
from when_to_invest.portfolio import AccountBook

_REDRIVABLE: Final = frozenset(
    {DecisionState.SEALED, DecisionState.QUEUED, DecisionState.RECEIVED, DecisionState.REJECTED}
)


@dataclass(frozen=True, slots=True)
class LetterDesk:
    """Answers dead letters for one home, on the desk's own ledger: one fold, and one roll beside it."""

    desk: ProposalDesk

    def redrive(self, message_id: str, *, by: str, why: str) -> DecisionAnswer:
        """Judge and seal a letter's decision anew; return what it has become.

        Raises:
            Fault: `unknown_message`; `redrive_refused` when the letter names no decision, when
                the decision may have been executed or is over, or when the gate objects;
                `clock_back` on a clock that stands before what the journal knows.
        """
        decision_id = self._claimed(self._waiting(message_id))

        def decide() -> Sequence[Event]:
            ledger, clock = self.desk.ledger, self.desk.court.clock
            ledger.demand_forward(clock.now())
            self._waiting(message_id)
            record = record_of(ledger, decision_id)
            demand_unexecuted(record)
            answered = self._answered(message_id, Answer.REDRIVEN, by=by, why=why)
            return (*self._reheard(record, ledger.book), answered)

        self._record(decide)
        self.desk.relay()
        return self.desk.get(decision_id)

    def discard(self, message_id: str, *, by: str, why: str) -> Letter:
        """Throw a letter away, saying why; the decision it names is not touched.

        Raises:
            Fault: `unknown_message`, or `bad_argument` without a reason.
        """
        if not why.strip():
            raise Fault(ErrorCode.BAD_ARGUMENT, "a letter is not thrown away without a reason", fix="say why")

        def decide() -> Sequence[Event]:
            self._waiting(message_id)
            return (self._answered(message_id, Answer.DISCARDED, by=by, why=why),)

        self._record(decide)
        return self._letters()[message_id]

    def _record(self, decide: Decide) -> None:
        """Append what `decide` returns on the state it saw, between two sittings of the desk."""
        desk = self.desk
        with desk.sittings.room:
            commit(desk.journal, desk.ledger, decide)

    def _letters(self) -> dict[str, Letter]:
        return letterbox(recorded.event for recorded in self.desk.journal.read()).letters

    def _waiting(self, message_id: str) -> Letter:
        letter = self._letters().get(message_id)
        if letter is None:
            raise Fault(
                ErrorCode.UNKNOWN_MESSAGE,
                f"the journal knows no dead letter {message_id[:60]!r}",
                fix="list them with `when-to-invest dlq list`",
            )
        if letter.answered is not None:
            raise Fault(
                ErrorCode.UNKNOWN_MESSAGE,
                f"the dead letter {message_id[:60]!r} was {letter.answered.answer.value} already",
                fix="list those that wait with `when-to-invest dlq list`",
            )
        return letter

    def _claimed(self, letter: Letter) -> str:
        if letter.arrived.claimed_decision_id is None:
            raise refusal("it names no decision", fix="throw it away with `when-to-invest dlq discard`")
        return letter.arrived.claimed_decision_id

    def _reheard(self, record: DecisionRecord, book: AccountBook) -> Sequence[Event]:
        """Return verdict and new envelope; an objection of the gate changes nothing and is raised."""
        case = Case(record.decision_id, order_intent(record), tuple(record.approvals))
        heard = self.desk.court.hear(case, book)
        if not any(isinstance(event, EnvelopeSealed) for event in heard):
            raise _objection(next(event for event in heard if isinstance(event, IntentJudged)))
        return heard

    def _answered(self, message_id: str, answer: Answer, *, by: str, why: str) -> DeadLetterAnswered:
        court = self.desk.court
        return DeadLetterAnswered(
            at=court.clock.now(),
            mode=court.settings.mode,
            message_id=message_id,
            answer=answer,
            by=by,
            why=why,
        )


def demand_unexecuted(record: DecisionRecord) -> None:
    """Check that nothing of a decision was, is or may be executed, and that it may still happen.

    Raises:
        Fault: `redrive_refused`.
    """
    if not isinstance(record.intent, OrderIntent) or record.envelope is None:
        raise refusal("its decision was never sealed as an order", fix="propose it again")
    if record.working is not None and record.working.planned is not None:
        raise refusal("a plan works it, without its message", fix="throw the letter away; see `status`")
    if record.is_cancel_requested:
        raise refusal("its decision was cancelled", fix="propose it again if it is still wanted")
    doubtful = [order for order in record.orders.values() if order.state is not OrderState.ABSENT]
    if record.filled_quantity or doubtful:
        raise refusal(
            f"an order of it is {record.state.value}, so it may have been executed",
            fix="throw the letter away; the executor follows the order",
        )
    if record.state not in _REDRIVABLE:
        raise refusal(f"its decision is {record.state.value}", fix="propose it again if it is still wanted")


def refusal(why: str, *, fix: str) -> Fault:
    """Return the fault of a letter that cannot be redriven."""
    return Fault(ErrorCode.REDRIVE_REFUSED, f"the letter cannot be redriven: {why}", fix=fix)


def _objection(judged: IntentJudged) -> Fault:
    told = "; ".join(
        f"{reason.code}: limit {reason.limit}, attempted {reason.attempted}, over by {reason.overage}"
        f" {reason.unit}".rstrip()
        for reason in judged.reasons
    )
    fixes = "; ".join(dict.fromkeys(reason.fix for reason in judged.reasons))
    return refusal(f"on fresh facts the gate says {judged.outcome.value}: {told}", fix=fixes)
