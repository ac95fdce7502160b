"""How long each kind of event must be kept. A kind nobody has classed is kept longest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_DAYS_A_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """A name, for how many years, and by which rule."""

    name: str
    years: int
    source: str

    def keep_until(self, at: datetime) -> datetime:
        """Return the instant until which an event of `at` must be kept."""
        return at + timedelta(days=self.years * _DAYS_A_YEAR)


ORDERS: Final = RetentionClass(
    "orders", 7, "MiFID II Art. 16(7), RTS 6 Art. 28: five years, seven on request"
)
CONTROLS: Final = RetentionClass("controls", 6, "SEC rules 15c3-5 and 17a-4(a): six years")
KEYS: Final = RetentionClass("keys", 7, "as long as orders: without them no seal or signature can be checked")
OPERATIONS: Final = RetentionClass("operations", 3, "SEC rule 17a-4(b): three years")
CLASSES: Final = (ORDERS, CONTROLS, KEYS, OPERATIONS)

OF_KIND: Final[dict[str, RetentionClass]] = {
    **dict.fromkeys(
        (
            "account_funded",
            "intent_proposed",
            "envelope_sealed",
            "send_intended",
            "order_moved",
            "order_filled",
            "execution_planned",
            "execution_finished",
            "order_amended",
            "order_settled",
            "cancel_requested",
        ),
        ORDERS,
    ),
    **dict.fromkeys(
        (
            "intent_judged",
            "approval_given",
            "approval_declined",
            "envelope_rejected",
            "message_refused",
            "trading_state_changed",
            "trading_resumed",
            "dead_letter_arrived",
            "dead_letter_answered",
        ),
        CONTROLS,
    ),
    **dict.fromkeys(
        (
            "home_founded",
            "approvers_founded",
            "approver_enrolled",
            "approver_removed",
            "seal_key_added",
            "seal_key_retired",
        ),
        KEYS,
    ),
    **dict.fromkeys(
        (
            "envelope_queued",
            "envelope_received",
            "recovery_completed",
            "account_marked",
            "venue_reported",
            "balances_taken",
            "reconciliation_differed",
            "reconciliation_agreed",
        ),
        OPERATIONS,
    ),
}


def retention_of(kind: str) -> RetentionClass:
    """Return the class of an event kind, the longest for one that is not listed."""
    return OF_KIND.get(kind, ORDERS)
