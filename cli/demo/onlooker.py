"""What the demo sees from outside: the journal, the venue's own books, the services file.

Reads only. It never writes to what it watches, and no service knows that it is there.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from home.clock import ReplayClock
from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, DecisionState

if TYPE_CHECKING:
    from executor.venues.port import VenueOrder

PATIENCE_S: Final = 30.0
LOOK_EVERY_S: Final = 0.05
Seen = TypeVar("Seen")


def wait_for(look: Callable[[], Seen | None], *, what: str) -> Seen:
    """Look until `look` returns something.

    Raises:
        Fault: `service_unavailable` when 30 s pass first.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        seen = look()
        if seen is not None:
            return seen
        time.sleep(LOOK_EVERY_S)
    raise Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"the demo waited {PATIENCE_S:.0f} s in vain for {what}",
        fix="look into the log files below the demo's home",
    )


class Onlooker:
    """Watches one home, and waits for what is to happen there."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.clock = ReplayClock(home.clock)

    def record(self, decision_id: str) -> DecisionRecord:
        """Return a decision as the journal proves it now."""
        from cli.commands.operating import decisions_of

        return decisions_of(self.home)[decision_id]

    def decision_ids(self) -> frozenset[str]:
        """Return the ids of all decisions in the journal."""
        from cli.commands.operating import decisions_of

        return frozenset(decisions_of(self.home))

    def wait_for_new_decision(self, known: frozenset[str]) -> str:
        """Wait for a decision that is not among `known`, and return its id."""
        return wait_for(lambda: next(iter(self.decision_ids() - known), None), what="a new decision")

    def wait_for_state(self, decision_id: str, *states: DecisionState) -> DecisionRecord:
        """Wait until a decision is in one of `states`, and return it."""

        def look() -> DecisionRecord | None:
            record = self.record(decision_id)
            return record if record.state in states else None

        return wait_for(look, what=f"{decision_id} to be {' or '.join(states)}")

    def venue_order(self, client_order_id: str) -> VenueOrder | None:
        """Ask the paper venue's own books for an order, as a look over the executor's shoulder."""
        from executor.market import HomeMarket
        from executor.venues.paper import PaperVenue
        from executor.venues.port import OrderRef
        from home.settings import read_settings

        settings = read_settings(self.home)
        venue = PaperVenue(
            self.home.paper_venue,
            mode=settings.mode,
            prices=HomeMarket(self.home),
            clock=self.clock,
            settings=settings.paper,
        )

        async def ask() -> VenueOrder | None:
            try:
                return await venue.find(OrderRef(client_order_id, instrument=""))
            finally:
                await venue.close()

        return asyncio.run(ask())

    def wait_for_order_at_venue(self, decision_id: str) -> VenueOrder:
        """Wait until the venue holds an order of this decision, whatever the journal says."""

        def look() -> VenueOrder | None:
            record = self.record(decision_id)
            found = (self.venue_order(client_order_id) for client_order_id in record.orders)
            return next((order for order in found if order is not None), None)

        return wait_for(look, what=f"an order of {decision_id} at the venue")

    def executor_pid(self) -> int:
        """Return the process id of the running executor."""
        services = json.loads((self.home.run / "services.json").read_text(encoding="utf-8"))
        return int(services["executor"]["pid"])

    def restarted_executor(self, *, former_pid: int) -> int:
        """Wait until the supervisor has started another executor, and return its pid."""

        def look() -> int | None:
            pid = self.executor_pid()
            return pid if pid != former_pid else None

        return wait_for(look, what="the supervisor to restart the executor")
