"""How the orders server hears of halts, and takes what a quorum signed to go on.

Stage: approvers' door. Anybody may stop, so nothing here stops; going on is written down only
with the signatures of enough people over exactly the halts that stand, or exactly one order's
end. Nothing here makes or lifts a signature.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from home.clock import Clock
from home.latch import Switch
from ledger.halting import take_away_lifted, told, untold
from ledger.journal import Journal
from ledger.live import LiveLedger
from policies.roll import Roll
from tool_servers.orders.minutes import commit, order_intent, record_of
from when_to_invest import events as ev
from when_to_invest.breakers import SCOPE_PATTERN, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord
from when_to_invest.money import NonNegativeDecimal, PositiveDecimal
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.remedies import Finding, settlement
from when_to_invest.values import DecisionId, Mode, Value

_log = logging.getLogger(__name__)


class SignedResumption(Value):
    """A request to lift the halts of one scope, with signatures."""

    scope: str = Field(pattern=SCOPE_PATTERN)
    motion: Motion
    endorsements: tuple[Endorsement, ...] = Field(max_length=20)


class SignedSettlement(Value):
    """A request to end one order as people found it, with signatures; base units and USD."""

    decision_id: DecisionId
    quantity: NonNegativeDecimal
    price_usd: PositiveDecimal | None
    evidence: str = Field(min_length=10, max_length=200)
    motion: Motion
    endorsements: tuple[Endorsement, ...] = Field(max_length=20)


class Remedied(Value):
    """What was written down."""

    kind: str
    scope: str
    state: str


@dataclass(frozen=True, slots=True)
class StopDesk:
    """Takes remedies for one home."""

    journal: Journal
    ledger: LiveLedger
    clock: Clock
    mode: Mode
    switch: Switch
    roll: Roll
    """Follows the same journal as the ledger."""

    def note(self) -> None:
        """Tell the journal of latches it does not know, and take away those that were lifted.

        Raises:
            Fault: from the journal; the latch holds all the same.
        """
        if untold(self.switch, self.ledger.book):
            commit(
                self.journal,
                self.ledger,
                lambda: told(untold(self.switch, self.ledger.book), at=self.clock.now(), mode=self.mode),
            )
        if lifted := take_away_lifted(self.switch, self.ledger.book):
            _log.warning("%d latch(es) lifted by a quorum were taken away", lifted)

    def take(self, asked: SignedResumption | SignedSettlement) -> Remedied:
        """Write down what a quorum signed, as `resume` or `settle`."""
        return self.resume(asked) if isinstance(asked, SignedResumption) else self.settle(asked)

    def resume(self, asked: SignedResumption) -> Remedied:
        """Lift the halts that stand in a scope, when a quorum signed exactly that.

        Raises:
            Fault: `bad_approval` or `bad_signature`; also when anything tightened since.
        """
        self.ledger.refresh()
        self.note()

        def decide() -> Sequence[ev.Event]:
            standing = self.ledger.book.standing
            if not standing.standing(asked.scope):
                raise Fault(
                    ErrorCode.BAD_ARGUMENT, f"{asked.scope} is not halted", fix="see `when-to-invest status`"
                )
            event = ev.TradingResumed(
                at=self.clock.now(),
                mode=self.mode,
                scope=asked.scope,
                halts_hash=standing.hash_of(asked.scope),
                motion=asked.motion,
                endorsements=asked.endorsements,
            )
            self._demand(event, serial=standing.serial)
            return (event,)

        commit(self.journal, self.ledger, decide)
        self.note()
        state = self.ledger.book.standing.state(asked.scope)
        return Remedied(kind="trading_resumed", scope=asked.scope, state=state.value)

    def settle(self, asked: SignedSettlement) -> Remedied:
        """End an order as a quorum found it; only where trading does not go on freely.

        Raises:
            Fault: `unknown_decision`, `illegal_transition`, `bad_approval` or `bad_signature`.
        """
        found = Finding(asked.quantity, asked.price_usd, asked.evidence)

        def decide() -> Sequence[ev.Event]:
            record = record_of(self.ledger, asked.decision_id)
            self._demand_stopped(record)
            event = settlement(
                record, found, motion=asked.motion, endorsements=asked.endorsements, at=self.clock.now()
            )
            self._demand(event, serial=len(record.events))
            return (event,)

        commit(self.journal, self.ledger, decide)
        return Remedied(kind="order_settled", scope=asked.decision_id, state="settled")

    def _demand(self, event: ev.TradingResumed | ev.OrderSettled, *, serial: int) -> None:
        self.roll.demand_asker(event.motion)
        electorate = self.roll.electorate(event.at)
        electorate.demand(event, home_id=self.ledger.home_id, serial=serial)

    def _demand_stopped(self, record: DecisionRecord) -> None:
        intent = order_intent(record)
        state = self.ledger.book.trading_state(
            account=intent.account, venue=intent.venue, instrument=intent.instrument
        )
        if state is TradingState.ACTIVE:
            raise Fault(
                ErrorCode.ILLEGAL_TRANSITION,
                f"{record.decision_id} trades freely, so the venue's own reports end it",
                fix="halt its instrument first, and look again at what the venue says",
            )
