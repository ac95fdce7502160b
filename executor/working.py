"""Follows orders at the venue: trades once each, ends, cancels. Stage: venue → journal.

What the venue says is compared with what was authorised before it is written down.

# INVARIANT: a trade is recorded once per (venue, instrument, trade id), and the fills of a decision
# never exceed what its envelope authorised: a venue that reports more stops everything.
# INVARIANT: no order ends before exactly what the venue says was executed of it is booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from executor.cancelling import FOLLOWED, Canceller, orders_in, ref_of
from executor.diary import Diary
from executor.log import Log
from executor.probe import Point, Probe
from executor.reconciling import Doubts, is_booked
from executor.sending import moved
from executor.together import together
from executor.venue_conduct import demand_limit, demand_price_of_fee
from executor.venues.port import Trade, Venue, VenueOrder, VenueStatus
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, OrderRecord
from when_to_invest.orders import OrderState, OrderStep

ENDED: Final = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})
"""States that a late trade can still follow."""
MANY: Final = 64
"""Orders from which on the venue is first asked for a list of all that are open."""
MOST_AT_ONCE: Final = 8
"""Orders that the venue is asked about at one time."""
_ENDS: Final = {
    VenueStatus.CANCELLED: OrderStep.CANCELLED,
    VenueStatus.EXPIRED: OrderStep.EXPIRED,
    VenueStatus.REJECTED: OrderStep.REJECTED,
}


class Working:
    """Brings the journal up to date with the venue, order by order."""

    def __init__(self, *, diary: Diary, venue: Venue, canceller: Canceller, probe: Probe, log: Log) -> None:
        self._diary = diary
        self._canceller = canceller
        self._venue = venue
        self._probe = probe
        self._log = log
        self._missing: set[str] = set()
        self._doubts = Doubts()
        self._turn = 0
        """How many of the orders that are as the venue lists them were asked about in their turn."""

    async def poll(self) -> bool:
        """Cancel what is no longer wanted, then ask about every order the venue may work on.

        Returns whether anything was recorded, or must be asked about again.

        Raises:
            Fault: `venue_unavailable`; `fill_exceeds_order` when the venue reports more than was
                authorised; `venue_contradicted` when what it says cannot all be true.
        """
        before = await self._diary.refresh()
        await self._canceller.cancel_unwanted()
        followed = orders_in(self._diary.open_decisions(), FOLLOWED)
        asked = [*dict.fromkeys([*followed, *self._doubts.orders])]
        await self._ask_about_all(asked if len(asked) < MANY else await self._changed(asked))
        return await self._diary.refresh() != before or bool(self._doubts.orders)

    async def look_back(self) -> None:
        """Ask once about orders that had ended: a trade may have raced the end.

        Raises:
            Fault: as `poll`.
        """
        await self._ask_about_all(orders_in(self._diary.decisions.that_may_trade_late(), ENDED))

    async def _changed(self, orders: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Leave out the orders that the venue, asked once, lists as working and filled as far as is booked.

        Whatever is not listed, or otherwise, is asked about by itself; so are some of the rest, in turn,
        because a list says nothing of trades that were told and are told otherwise now.
        """
        listed = {order.client_order_id: order for order in await self._venue.open_orders()}
        doubted = frozenset(self._doubts.orders)
        changed: list[tuple[str, str]] = []
        rest: list[tuple[str, str]] = []
        for order in orders:
            is_listed = _is_as_listed(self._order(*order), listed.get(order[1]))
            (rest if is_listed and order not in doubted else changed).append(order)
        self._turn = self._turn if self._turn < len(rest) else 0
        begin, self._turn = self._turn, self._turn + MOST_AT_ONCE
        return [*changed, *rest[begin : self._turn]]

    async def _ask_about_all(self, orders: Iterable[tuple[str, str]]) -> None:
        await together((self.ask_about(*order) for order in orders), at_once=MOST_AT_ONCE)

    async def ask_about(self, decision_id: str, client_order_id: str) -> None:
        """Ask the venue about one order and record what it says.

        Raises:
            Fault: as `poll`.
        """
        found = await self._venue.find(ref_of(self._order(decision_id, client_order_id)))
        if found is not None:
            try:
                await self._follow(decision_id, found)
            except Fault as fault:
                await self._stop(decision_id, client_order_id, fault)
        elif client_order_id not in self._missing:
            self._missing.add(client_order_id)
            self._log.say("order_missing", at=self._diary.now(), client_order_id=client_order_id)

    async def _follow(self, decision_id: str, found: VenueOrder) -> None:
        order = self._order(decision_id, found.client_order_id)
        before = order.filled_quantity
        # Read after the status, so that an ended order's trades are all in the answer.
        trades = await self._venue.trades(ref_of(order))
        if self._order(decision_id, found.client_order_id).state is OrderState.QUARANTINED:
            await self._step(decision_id, found, OrderStep.ACKNOWLEDGED)
        for trade in trades:
            if not is_booked(trade, self._diary.decisions, decision_id=decision_id, asked=found):
                self._probe.reached(Point.FILLED_AT_VENUE)
                await self._fill(decision_id, trade)
                self._probe.reached(Point.FILL_RECORDED)
        booked = self._order(decision_id, found.client_order_id).filled_quantity
        self._doubts.compare(decision_id, found, booked_before=before, booked=booked)
        if found.status in _ENDS and booked == found.filled_quantity:
            await self._end(decision_id, found)

    async def _stop(self, decision_id: str, client_order_id: str, fault: Fault) -> None:
        """Raise on; of an order that has ended, which nothing can settle, halt its venue and go on.

        Raises:
            Fault: `fault`; the order stays open and reserved until people settle it.
        """
        order = self._order(decision_id, client_order_id)
        if fault.code is not ErrorCode.VENUE_CONTRADICTED or order.state not in ENDED:
            raise fault
        self._doubts.drop(client_order_id)
        await self._diary.tighten(f"venue:{order.sent.venue}", state=TradingState.HALTED, why=fault.message)
        self._log.say("order_contradicted", decision_id=decision_id, client_order_id=client_order_id)

    async def _end(self, decision_id: str, found: VenueOrder) -> None:
        step = _ENDS[found.status]
        has_traded = found.filled_quantity > 0
        await self._step(
            decision_id, found, OrderStep.CANCELLED if has_traded and step is OrderStep.REJECTED else step
        )

    def _order(self, decision_id: str, client_order_id: str) -> OrderRecord:
        return self._diary.decisions[decision_id].orders[client_order_id]

    async def _fill(self, decision_id: str, trade: Trade) -> None:
        def decide() -> Sequence[ev.Event]:
            record = self._diary.decisions[decision_id]
            order = record.orders[trade.client_order_id]
            if self._diary.decisions.has_trade(order.sent.venue, order.sent.instrument, trade.trade_id):
                return ()
            _demand_authorised(record, order, trade)
            return (_filled(self._diary, record, order, trade),)

        # A trade's id is unique in its instrument, so no two of one are booked at once.
        instrument = self._order(decision_id, trade.client_order_id).sent.instrument
        if await self._diary.write(decide, about=(decision_id, f"trades of {instrument}")):
            sent = self._order(decision_id, trade.client_order_id).sent
            await demand_limit(self._diary, sent, trade)
            await demand_price_of_fee(self._diary, sent, trade, log=self._log)
            self._log.say(
                "order_filled", at=self._diary.now(), decision_id=decision_id, trade_id=trade.trade_id
            )

    async def _step(self, decision_id: str, found: VenueOrder, step: OrderStep) -> None:
        def decide() -> Sequence[ev.Event]:
            order = self._diary.decisions[decision_id].orders[found.client_order_id]
            if order.state not in FOLLOWED:
                return ()
            return (moved(self._diary, order.sent, step=step, venue_order_id=found.venue_order_id),)

        if await self._diary.write(decide, about=(decision_id,)):
            self._log.say("order_moved", at=self._diary.now(), decision_id=decision_id, step=step.value)


def _filled(diary: Diary, record: DecisionRecord, order: OrderRecord, trade: Trade) -> ev.OrderFilled:
    sent = order.sent
    return ev.OrderFilled(
        at=diary.now(),
        mode=diary.mode,
        decision_id=record.decision_id,
        client_order_id=sent.client_order_id,
        account=record.intent.account,
        venue=sent.venue,
        trade_id=trade.trade_id,
        instrument=sent.instrument,
        side=sent.side,
        quantity=trade.quantity,
        price_usd=trade.price_usd,
        fee_usd=trade.fee_usd,
        is_last=order.filled_quantity + trade.quantity == sent.quantity,
        charge=trade.charge,
    )


def _is_as_listed(order: OrderRecord, listed: VenueOrder | None) -> bool:
    return (
        listed is not None
        and listed.status is VenueStatus.WORKING
        and listed.filled_quantity == order.filled_quantity
        and order.state is not OrderState.QUARANTINED
    )


def _demand_authorised(record: DecisionRecord, order: OrderRecord, trade: Trade) -> None:
    of_order = order.filled_quantity + trade.quantity
    of_decision = record.filled_quantity + trade.quantity
    if of_order <= order.sent.quantity and of_decision <= record.authorised_quantity:
        return
    raise Fault(
        ErrorCode.FILL_EXCEEDS_ORDER,
        f"trade {trade.trade_id} would bring {record.decision_id} to {of_decision}, authorised are "
        f"{record.authorised_quantity}",
        fix="reconcile with the venue; `when-to-invest settle` books what you find, then `resume`",
    )
