"""What people sign to go on: motions that lift the halts of a scope, or settle an order.

Each motion shows its signers everything that the event made from it will do; `carries` says
whether an event does just that.
"""

from __future__ import annotations

from typing import Final, assert_never

from when_to_invest import events as ev
from when_to_invest.breakers import Halt
from when_to_invest.money import decimal_text

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


def settle_details(event: ev.OrderSettled) -> Details:
    """Return what signers of a settlement are shown: every fact that it puts in the journal."""
    price = "nothing more executed" if event.price_usd is None else f"{decimal_text(event.price_usd)} USD"
    return (
        ("decision", event.decision_id),
        ("order", event.client_order_id),
        ("account", event.account),
        ("venue", event.venue),
        ("side", event.side.value),
        ("instrument", event.instrument),
        ("executed", decimal_text(event.quantity)),
        ("price", price),
        ("evidence", event.evidence),
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
                and event.motion.details == settle_details(event)
                and (event.price_usd is None) is (event.quantity == 0)
            )
        case _:
            assert_never(event)
