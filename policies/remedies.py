"""Whether a resumption or settlement carries a quorum: the only way anything is loosened. Pure.

Stage: before one is journalled, and again by everybody who folds one. Each process checks
for itself, so a process that may write the journal can still not lift a halt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from policies.quorum import Assembly, demand_quorum
from when_to_invest import events as ev
from when_to_invest.domains import TEST_CHAIN_ID, SigningDomain
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.remedies import carries
from when_to_invest.values import Mode

QUORUM: Final = 2
"""How many different approvers, none of them the requester, must sign."""


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who may sign in one home, and how signatures are traced to them; `approvers` by name."""

    approvers: Mapping[str, str]
    mode: Mode
    typed_digest: Callable[[dict[str, Any]], bytes]
    recover: Callable[[bytes, str], str]
    chain_id: int = TEST_CHAIN_ID
    needed: int = QUORUM
    keys_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """As in `Assembly`."""

    def assembly(self, *, home_id: str, now: datetime) -> Assembly:
        """Return who may sign in the home of that id at `now`."""
        domain = SigningDomain(home_id=home_id, chain_id=self.chain_id)
        return Assembly(self.approvers, domain, now, self.typed_digest, self.recover, self.keys_of)

    def demand(self, event: ev.TradingResumed | ev.OrderSettled, *, home_id: str, serial: int) -> None:
        """Return when a quorum signed exactly what `event` does, on the state counted by `serial`.

        Raises:
            Fault: `bad_approval` or `bad_signature`, for the first thing that does not hold.
        """
        if not carries(event) or not event.mode is event.motion.mode is self.mode:
            raise Fault(
                ErrorCode.BAD_APPROVAL,
                "what was signed is not what would be done, or not in this mode",
                fix="ask for a new document and sign that",
            )
        assembly = self.assembly(home_id=home_id, now=event.at)
        demand_quorum(event.motion, event.endorsements, needed=self.needed, serial=serial, assembly=assembly)

    def is_warranted(self, event: ev.Event, home_id: str) -> bool:
        """Return whether an event that loosens carries a quorum; True for every other event.

        Whether it was signed on the state that it meets is for whoever folds that state
        (`ledger.fitting`).
        """
        if not isinstance(event, ev.TradingResumed | ev.OrderSettled):
            return True
        try:
            self.demand(event, home_id=home_id, serial=event.motion.serial)
        except Fault:
            return False
        return True
