"""Amendments: a caller wants less, or a stricter limit, of an order that a plan works.

Stage: orders server → journal. An amendment only tightens, so it needs no approval and no new seal; for
anything else people propose a new order. The executor follows what the journal says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.minutes import order_intent, record_of
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event
from when_to_invest.history import FINAL_STATES, DecisionRecord
from when_to_invest.money import decimal_text
from when_to_invest.portfolio import AccountBook
from when_to_invest.workings import OrderAmended, Wish, wish_of


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is wanted from now on; what is none stays as it is. `quantity` in all, in base units."""

    decision_id: str
    quantity: Decimal | None = None
    limit_price_usd: Decimal | None = None


def amend(desk: ProposalDesk, wanted: Amendment, *, caller: str) -> DecisionAnswer:
    """Record that less of an order is wanted; asking for what is wanted already records nothing.

    Raises:
        Fault: `unknown_decision`; `bad_argument` for an order that no plan works, that is over or
            not sealed yet, and for anything that would loosen.
    """

    def decide(book: AccountBook) -> Sequence[Event]:
        record = record_of(desk.ledger, wanted.decision_id)
        reservation = book.reservations.get(wanted.decision_id)
        present = _present(record, reservation.wish if reservation is not None else None)
        event = OrderAmended(
            at=desk.court.clock.now(),
            mode=desk.court.settings.mode,
            decision_id=wanted.decision_id,
            caller=caller,
            quantity=present.quantity if wanted.quantity is None else wanted.quantity,
            limit_price_usd=(
                present.limit_price_usd if wanted.limit_price_usd is None else wanted.limit_price_usd
            ),
        )
        if (event.quantity, event.limit_price_usd) == (present.quantity, present.limit_price_usd):
            return ()
        _demand_tightening(present, event)
        return (event,)

    return desk.sittings.settle(wanted.decision_id, decide)


def _present(record: DecisionRecord, wish: Wish | None) -> Wish:
    if order_intent(record).execution is None:
        raise _unfit("it has no plan", fix="cancel it, and propose what is wanted instead")
    if wish is None or record.state in FINAL_STATES:
        raise _unfit("it is not being worked", fix="look at it with `when-to-invest status`")
    return record.working.wish if record.working is not None else wish_of(order_intent(record))


def _demand_tightening(present: Wish, event: OrderAmended) -> None:
    if not present.is_tightened_by(event):
        raise _unfit(
            f"wanted are {decimal_text(present.quantity)} at {decimal_text(present.limit_price_usd)} USD now,"
            " and an amendment only tightens",
            fix="ask for less, or a stricter limit; for more, propose another order",
        )


def _unfit(why: str, *, fix: str) -> Fault:
    return Fault(ErrorCode.BAD_ARGUMENT, f"this order cannot be amended so: {why}", fix=fix)
