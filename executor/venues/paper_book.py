"""The paper venue's own durable book: orders and trades in SQLite, apart from our journal.

Stage: paper venue. It plays the remote party: what it has accepted survives any crash of
the executor, and nothing in it is ever deleted. Nobody but `PaperVenue` opens it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from executor.venues.matching import RestingOrder
from executor.venues.port import NewOrder, Trade, VenueOrder, VenueStatus
from when_to_invest.canonical import utc_text
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.money import decimal_text

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    client_order_id TEXT NOT NULL UNIQUE,
    instrument TEXT NOT NULL,
    side TEXT NOT NULL,
    quantity TEXT NOT NULL,
    limit_price_usd TEXT NOT NULL,
    time_in_force TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    status TEXT NOT NULL,
    ended_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS trades (
    trade_id TEXT PRIMARY KEY,
    client_order_id TEXT NOT NULL REFERENCES orders (client_order_id),
    quantity TEXT NOT NULL,
    price_usd TEXT NOT NULL,
    fee_usd TEXT NOT NULL,
    executed_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS orders_are_kept BEFORE DELETE ON orders
    BEGIN SELECT RAISE(ABORT, 'orders are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS trades_are_kept BEFORE DELETE ON trades
    BEGIN SELECT RAISE(ABORT, 'trades are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS trades_are_final BEFORE UPDATE ON trades
    BEGIN SELECT RAISE(ABORT, 'trades are never changed'); END;
"""
_BUSY_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """What one trade changed: `quantity` in base units and `cash_usd` after the fee, both signed."""

    instrument: str
    quantity: Decimal
    cash_usd: Decimal


class PaperBook:
    """Every method is one transaction, synced to disk before it returns (WAL, FULL).

    One thread at a time may use it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = sqlite3.connect(
            path, isolation_level=None, timeout=_BUSY_TIMEOUT_S, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; what was accepted stays."""
        self._connection.close()

    def accept(self, order: NewOrder, *, at: datetime) -> None:
        """Make `order` durable.

        Raises:
            sqlite3.IntegrityError: an order of that client order id exists.
        """
        self._connection.execute(
            "INSERT INTO orders (client_order_id, instrument, side, quantity, limit_price_usd,"
            " time_in_force, accepted_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order.client_order_id,
                order.instrument,
                order.side.value,
                decimal_text(order.quantity),
                decimal_text(order.limit_price_usd),
                order.time_in_force.value,
                utc_text(at),
                VenueStatus.WORKING.value,
            ),
        )

    def order(self, client_order_id: str) -> VenueOrder | None:
        """Return one order, or none."""
        row = self._row(client_order_id)
        if row is None:
            return None
        filled = sum((trade.quantity for trade in self.trades(client_order_id)), Decimal(0))
        return VenueOrder(
            client_order_id=client_order_id,
            venue_order_id=f"P{row['number']:08d}",
            status=VenueStatus(row["status"]),
            filled_quantity=filled,
            instrument=row["instrument"],
        )

    def working(self) -> tuple[VenueOrder, ...]:
        """Return the orders that have not ended, oldest first."""
        with closing(self._connection.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT client_order_id FROM orders WHERE status = ? ORDER BY number",
                (VenueStatus.WORKING.value,),
            ).fetchall()
        return tuple(order for row in rows if (order := self.order(row["client_order_id"])) is not None)

    def changes(self) -> tuple[Change, ...]:
        """Return what every trade changed, oldest first."""
        with closing(self._connection.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT orders.instrument, orders.side, trades.quantity, price_usd, fee_usd FROM trades"
                " JOIN orders USING (client_order_id) ORDER BY executed_at, trade_id"
            ).fetchall()
        return tuple(map(_change, rows))

    def instrument_of(self, client_order_id: str) -> str:
        """Return the instrument of an existing order."""
        row = self._row(client_order_id)
        return "" if row is None else str(row["instrument"])

    def resting(self, client_order_id: str) -> RestingOrder | None:
        """Return the order when it is still working, else none."""
        row = self._row(client_order_id)
        if row is None or row["status"] != VenueStatus.WORKING.value:
            return None
        return RestingOrder(
            side=Side(row["side"]),
            quantity=Decimal(row["quantity"]),
            limit_price_usd=Decimal(row["limit_price_usd"]),
            time_in_force=TimeInForce(row["time_in_force"]),
            accepted_at=datetime.fromisoformat(row["accepted_at"]),
        )

    def trades(self, client_order_id: str) -> tuple[Trade, ...]:
        """Return the trades of an order, oldest first."""
        with closing(self._connection.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT * FROM trades WHERE client_order_id = ? ORDER BY trade_id", (client_order_id,)
            ).fetchall()
        return tuple(
            Trade(
                trade_id=row["trade_id"],
                client_order_id=client_order_id,
                quantity=Decimal(row["quantity"]),
                price_usd=Decimal(row["price_usd"]),
                fee_usd=Decimal(row["fee_usd"]),
                executed_at=datetime.fromisoformat(row["executed_at"]).astimezone(UTC),
            )
            for row in rows
        )

    def end(
        self, client_order_id: str, *, status: VenueStatus, at: datetime, trade: Trade | None = None
    ) -> None:
        """Finish a working order, with its trade in the same transaction; else do nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            changed = self._connection.execute(
                "UPDATE orders SET status = ?, ended_at = ? WHERE client_order_id = ? AND status = ?",
                (status.value, utc_text(at), client_order_id, VenueStatus.WORKING.value),
            ).rowcount
            if changed and trade is not None:
                self._insert(trade)
        except sqlite3.Error:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _insert(self, trade: Trade) -> None:
        self._connection.execute(
            "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?)",
            (
                trade.trade_id,
                trade.client_order_id,
                decimal_text(trade.quantity),
                decimal_text(trade.price_usd),
                decimal_text(trade.fee_usd),
                utc_text(trade.executed_at),
            ),
        )

    def _row(self, client_order_id: str) -> sqlite3.Row | None:
        with closing(self._connection.cursor()) as cursor:
            found: sqlite3.Row | None = cursor.execute(
                "SELECT * FROM orders WHERE client_order_id = ?", (client_order_id,)
            ).fetchone()
        return found


def _change(row: sqlite3.Row) -> Change:
    sign, quantity = Side(row["side"]).sign, Decimal(row["quantity"])
    return Change(
        instrument=row["instrument"],
        quantity=sign * quantity,
        cash_usd=-sign * quantity * Decimal(row["price_usd"]) - Decimal(row["fee_usd"]),
    )
