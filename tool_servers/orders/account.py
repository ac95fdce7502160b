"""The account as the journal proves it, marked with prices read here. Pure but for the view."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from home.latch import Switch
from home.settings import Settings
from ledger.halting import in_force
from tool_servers.orders.answers import Portfolio, PositionRow, ReservationRow
from tool_servers.orders.market_view import MarketView
from when_to_invest.breakers import halt_line, scopes_of, state_under
from when_to_invest.canonical import utc_text
from when_to_invest.holdings import ZERO
from when_to_invest.portfolio import AccountBook


def portfolio_of(
    book: AccountBook, *, settings: Settings, view: MarketView, now: datetime, switch: Switch
) -> Portfolio:
    """Return cash, holdings at their newest known price, what open orders reserve, and what is halted."""
    account = settings.account
    halts = in_force(switch, book)
    scopes = scopes_of(account=account, venue=settings.venue, instrument="")
    positions = tuple(
        _position(book, account=account, instrument=name, view=view, now=now)
        for owner, name in sorted(book.positions)
        if owner == account and book.positions[owner, name].quantity
    )
    cash_usd = book.cash_usd.get(account, ZERO)
    return Portfolio(
        as_of=utc_text(now),
        mode=settings.mode.value,
        account=account,
        trading_state=state_under(halts, scopes=scopes).value,
        halts=tuple(map(halt_line, halts)),
        cash_usd=cash_usd,
        equity_usd=_equity_usd(cash_usd, positions),
        positions=positions,
        reservations=tuple(
            ReservationRow(
                decision_id=decision_id,
                instrument=item.instrument,
                side=item.side,
                quantity_open=item.quantity_open,
                notional_usd=item.notional_usd,
            )
            for decision_id, item in book.reservations.items()
            if item.account == account
        ),
    )


def _position(
    book: AccountBook, *, account: str, instrument: str, view: MarketView, now: datetime
) -> PositionRow:
    held = book.position(account, instrument)
    mark = view.reference(instrument, now=now)
    return PositionRow(
        instrument=instrument,
        quantity=held.quantity,
        # An average cost can have more digits than an amount travels with.
        cost_usd=round(held.cost_usd, 6),
        mark_usd=None if mark is None else mark.price_usd,
        value_usd=None if mark is None else round(held.quantity * mark.price_usd, 6),
        marked_at=None if mark is None else utc_text(mark.known_at),
    )


def _equity_usd(cash_usd: Decimal, positions: tuple[PositionRow, ...]) -> Decimal | None:
    values = [row.value_usd for row in positions if row.value_usd is not None]
    return cash_usd + sum(values, ZERO) if len(values) == len(positions) else None
