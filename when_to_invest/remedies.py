"""What people sign to go on: motions that lift the halts of a scope, or settle an order.

Each motion shows its signers everything that the event made from it will do; `carries` says
whether an event does just that.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from when_to_invest import events as ev
from when_to_invest.breakers import Halt
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, OrderRecord
from when_to_invest.money import decimal_text
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.orders import ORDER_LIFE, OrderStep
from when_to_invest.values import Instant

RESUME: Final = "Resume"
SETTLE: Final = "Settle"
_LONGEST: Final = 200
Details = tuple[tuple[str, str], ...]


def halts_in_words(halts: tuple[Halt, ...]) -> str:
    """Return who halted, when last and why, in one printable line of at most 200 characters."""
    told = f"{len(halts)} halt(s): " + "; ".join(f"{halt.by}: {halt.why}" for halt in halts)
    printable = "".join(letter if letter.isprintable() else " " for letter in told)
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + "…"


def resume_details(*, scope: str, halts_hash: str, lifts: str) -> Details:
    """Return what signers of a resumption are shown."""
    return (("scope", scope), ("halts", halts_hash), ("lifts", lifts))


@dataclass(frozen=True, slots=True)
class Finding:
    """What people found about an order: base units at USD besides the fills known, and the evidence."""

    quantity: Decimal
    price_usd: Decimal | None
    evidence: str


def settle_details(sent: ev.SendIntended | ev.OrderSettled, *, account: str, found: Finding) -> Details:
    """Return what signers of a settlement are shown: every fact that it puts in the journal."""
    price = "nothing more executed" if found.price_usd is None else f"{decimal_text(found.price_usd)} USD"
    return (
        ("decision", sent.decision_id),
        ("order", sent.client_order_id),
        ("account", account),
        ("venue", sent.venue),
        ("side", sent.side.value),
        ("instrument", sent.instrument),
        ("executed", decimal_text(found.quantity)),
        ("price", price),
        ("evidence", found.evidence),
    )


def carries(event: ev.TradingResumed | ev.OrderSettled) -> bool:
    """Return whether the event does exactly what its motion shows."""
    match event:
        case ev.TradingResumed():
            shown = dict(event.motion.details)
            wanted = resume_details(
                scope=event.scope, halts_hash=event.halts_hash, lifts=shown.get("lifts", "")
            )
            return event.motion.purpose == RESUME and event.motion.details == wanted
        case ev.OrderSettled():
            return (
                event.motion.purpose == SETTLE
                and event.motion.details == settle_details(event, account=event.account, found=_found(event))
                and (event.price_usd is None) is (event.quantity == 0)
            )
        case _:
            assert_never(event)


def _found(event: ev.OrderSettled) -> Finding:
    return Finding(event.quantity, event.price_usd, event.evidence)


def settleable(record: DecisionRecord) -> OrderRecord:
    """Return the order of a decision whose end a quorum may state: the one the venue may still hold.

    Raises:
        Fault: `illegal_transition` when no order of it waits for an end.
    """
    for order in record.orders.values():
        if OrderStep.SETTLED in ORDER_LIFE[order.state]:
            return order
    raise Fault(
        ErrorCode.ILLEGAL_TRANSITION,
        f"no order of {record.decision_id} waits for its end; the decision is {record.state.value}",
        fix="settle what `when-to-invest status` shows as quarantined, working or partly filled",
    )


def settlement(
    record: DecisionRecord,
    found: Finding,
    *,
    motion: Motion,
    endorsements: tuple[Endorsement, ...],
    at: Instant,
) -> ev.OrderSettled:
    """Return the event that ends the open order of a decision as people found it.

    Raises:
        Fault: `illegal_transition` when there is no such order.
    """
    sent = settleable(record).sent
    return ev.OrderSettled(
        at=at,
        mode=sent.mode,
        decision_id=record.decision_id,
        client_order_id=sent.client_order_id,
        account=record.intent.account,
        venue=sent.venue,
        instrument=sent.instrument,
        side=sent.side,
        quantity=found.quantity,
        price_usd=found.price_usd,
        evidence=found.evidence,
        motion=motion,
        endorsements=endorsements,
    )
