"""The desk's counter: what one caller may see of it, and ask of it. Everybody sees their own.

A decision of somebody else is as unknown as one that does not exist, unless settings let
this caller see it. The desk behind judges; nothing here lifts anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from home.callers import EVERYTHING, CallerSettings
from policies.limits import Limits
from tool_servers.orders.answers import DecisionAnswer, Orders, Portfolio
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.proposal import Proposal
from when_to_invest.callers import Caller
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState


@dataclass(frozen=True, slots=True)
class Counter:
    """Serves whoever calls at the moment; `who` names them, as the token proved."""

    desk: ProposalDesk
    who: Callable[[], Caller]
    callers: Mapping[str, CallerSettings] = field(default_factory=dict)

    def propose(self, proposal: Proposal) -> DecisionAnswer:
        """Take a request to the gate in the caller's own name."""
        caller = self.who()
        return self.desk.propose(proposal, caller=caller.name, identity=caller.identity)

    def get(self, decision_id: str) -> DecisionAnswer:
        """Return a decision that the caller may see, or raise `unknown_decision`."""
        return self._seen(decision_id, by=self._may_read())

    def cancel(self, decision_id: str) -> DecisionAnswer:
        """Ask for a decision's rest to be cancelled, or raise `unknown_decision`."""
        caller = self.who()
        self._seen(decision_id, by=self._settings().may_cancel | {caller.name})
        return self.desk.cancel(decision_id, caller=caller.name, identity=caller.identity)

    def list_orders(self, *, state: DecisionState | None, limit: int) -> Orders:
        """Return decisions that the caller may see, newest first, at most `limit`."""
        return self.desk.list_orders(state=state, limit=limit, proposers=self._may_read())

    def portfolio(self) -> Portfolio:
        """Return the account; of what is reserved, the decisions that the caller may see."""
        return self.desk.portfolio(proposers=self._may_read())

    def limits(self) -> Limits:
        """Return the limits that the caller's proposals are judged by."""
        return self.desk.court.limits_of(self.who().name)

    def _settings(self) -> CallerSettings:
        return self.callers.get(self.who().name, EVERYTHING)

    def _may_read(self) -> frozenset[str]:
        return self._settings().may_read | {self.who().name}

    def _seen(self, decision_id: str, *, by: frozenset[str]) -> DecisionAnswer:
        try:
            answer = self.desk.get(decision_id)
        except Fault as fault:
            if fault.code is ErrorCode.UNKNOWN_DECISION:
                raise _unknown() from None
            raise
        if answer.intent.proposer not in by:
            raise _unknown()
        return answer


def _unknown() -> Fault:
    return Fault(
        ErrorCode.UNKNOWN_DECISION,
        "no order decision of that id is known here",
        fix="use a decision_id from list_orders",
    )
