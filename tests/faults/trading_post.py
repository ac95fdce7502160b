"""A home that trades at a local exchange: journal in PostgreSQL, queue at SQS, network in between.

Every part but the gate and the network is a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from executor.market import HomeMarket
from home.clock import WallClock
from home.paths import Home
from home.settings import QueueKind, QueueSettings
from ledger.live import LiveLedger
from ledger.postgres_journal import check_database, open_postgres_journal
from ledger.sqs_client import connect_sqs
from ledger.sqs_provision import provision_queue
from ledger.sqs_queue import SqsReceiver, SqsSender, find_dead_letters
from market_data.lake import import_file
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from tests.architecture.sources import ROOT
from tests.executor.gatehouse import Gatehouse
from tests.faults.executor_at_exchange import LIMITS
from tests.faults.unsteady_network import LOOPBACK, UnsteadyNetwork, unsteady_network
from tests.ledger.postgres_server import PostgresServer
from when_to_invest import events as ev
from when_to_invest.errors import Fault
from when_to_invest.history import FINAL_STATES, DecisionRecord
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.intervals import Interval
from when_to_invest.values import Mode

SCRIPT = Path(__file__).with_name("executor_at_exchange.py")
PASSPHRASE = "only for tests"  # noqa: S105 - opens nothing but this home's throw-away key
VISIBILITY_S = 2
AT_VENUE = Decimal(100_000)
"""What the exchange gives its trader of every asset."""
PRICES = {
    (Side.BUY, "take"): Decimal("101.5"),
    (Side.SELL, "take"): Decimal("98.5"),
    (Side.BUY, "rest"): Decimal("99.6"),
    (Side.SELL, "rest"): Decimal("100.4"),
}
"""The crowd quotes 99.50 and 100.50: two prices that meet it, two that wait inside."""
ODDS = {
    "drop_reply": 0.03,
    "appear_late": 0.04,
    "server_error": 0.03,
    "garbage": 0.03,
    "unavailable": 0.03,
    "rate_limited": 0.01,
}
"""Of what the exchange itself does wrong. Not a request that arrives twice: it would trade twice."""
_numbers = count(1)


@dataclass(frozen=True)
class Pair:
    """What is traded at one exchange, in which asset it takes its fee from a buyer, and how orders come."""

    exchange: str
    symbol: str
    is_fee_in_quote: bool
    placing: str

    @property
    def base(self) -> str:
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("/")[2]


PAIRS = {
    "binance": Pair("binance", "BTC/USDT", is_fee_in_quote=False, placing="POST /api/v3/order"),
    "kraken": Pair("kraken", "BTC/USD", is_fee_in_quote=True, placing="POST /0/private/AddOrder"),
    "coinbase": Pair("coinbase", "BTC/USD", is_fee_in_quote=True, placing="POST /api/v3/brokerage/orders"),
}


@dataclass
class TradingPost:
    """One home with its gate; `start` runs its executor."""

    root: Path
    pair: Pair
    network: UnsteadyNetwork
    ready: dict[str, Any]
    database: str
    sqs: str
    environment: dict[str, str]
    decision_ids: list[str] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.home = Home(self.root).make()
        self.home.keys.mkdir(mode=0o700, exist_ok=True)
        create_keystore(
            self.home.keys / "seal.json", passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR
        )
        self._bring_prices()
        client: Any = connect_sqs(QueueSettings(kind=QueueKind.SQS, endpoint_url=self.sqs))
        made = provision_queue(
            client, name=f"post-{os.getpid()}-{next(_numbers)}", visibility_s=VISIBILITY_S, max_receives=500
        )
        self._configure(made.url)
        self.receiver = SqsReceiver(made.url, client, visibility_s=VISIBILITY_S)
        self.letters = find_dead_letters(made.url, client)
        self.journal = open_postgres_journal(self.database, self.home.journal_elsewhere)
        self.ledger = LiveLedger(self.journal)
        self.gate = Gatehouse(
            journal=self.journal,
            sender=SqsSender(made.url, client),
            market=HomeMarket(self.home),
            clock=WallClock(),
            mode=Mode.PAPER,
            limits=LIMITS,
            signer=unlock_keystore(self.home.keys / "seal.json", passphrase=PASSPHRASE),
        )
        self.gate.fund()

    def trouble(self, *, seed: int) -> None:
        """Let the network lose and cut, and the exchange answer in ways that say little."""
        self.network.is_calm = False
        self.ask("/control/odds", {"odds": ODDS, "seed": seed, "where": self.pair.placing})

    def calm(self) -> None:
        """Let everything pass and every answer come."""
        self.network.is_calm = True
        self.ask("/control/odds", {"odds": {}, "seed": 0})

    def start(self) -> subprocess.Popen[bytes]:
        """Start a real executor process; what it logs is kept in `log`."""
        stem = f"WHEN_TO_INVEST_VENUE_{self.pair.exchange.upper()}"
        keys = {f"{stem}_KEY": self.ready["key"], f"{stem}_SECRET": self.ready["secret"].replace("\n", "\\n")}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, str(SCRIPT), str(self.root)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=ROOT,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "PYTHONPATH": str(ROOT),
                    **self.environment,
                    **keys,
                },
            )

    @property
    def log(self) -> Path:
        return self.root / "executor.log"

    def starts(self) -> int:
        """Return how often an executor has come through its recovery."""
        return self.log.read_bytes().count(b'"started"') if self.log.exists() else 0

    def propose(self, number: int, dice: random.Random) -> None:
        """Propose one small order of any kind; what the gate refuses counts as refused."""
        side, style = dice.choice((Side.BUY, Side.BUY, Side.SELL)), dice.choice(("take", "take", "rest"))
        quantity = Decimal("0.2") + Decimal(number) / 100_000
        is_brief = style == "take" and dice.random() < 0.3
        envelope = self.gate.sealed_if_approved(
            number,
            venue=self.pair.exchange,
            instrument=self.pair.symbol,
            side=side,
            quantity=quantity,
            limit_price_usd=PRICES[side, style],
            time_in_force=TimeInForce.IOC if is_brief else TimeInForce.DAY,
        )
        if envelope is None:
            self.refused += 1
            return
        if style == "take":
            crowds = {Side.BUY: ("sell", "100.5"), Side.SELL: ("buy", "99.5")}[side]
            self.crowd(crowds[0], price=crowds[1], quantity=quantity * 2)
        self.gate.queue(envelope)
        self.decision_ids.append(envelope.content.decision_id)

    def request_cancel(self, decision_id: str) -> None:
        """Ask, as people do, that the rest of a decision be cancelled."""
        self.journal.append(
            [
                ev.CancelRequested(
                    at=self.gate.clock.now(), mode=Mode.PAPER, decision_id=decision_id, caller="agent"
                )
            ]
        )

    def crowd(self, side: str, *, price: str, quantity: Decimal) -> None:
        """Let somebody else place an order at the exchange."""
        asked = {"symbol": self.pair.symbol, "side": side, "price": price, "quantity": str(quantity)}
        self.ask("/control/crowd", asked)

    def ask(self, path: str, body: object = None) -> Any:
        """Ask the exchange itself, past the network."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.ready["url"] + path, data=data)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 - loopback
            return json.load(reply)

    def decisions(self) -> dict[str, DecisionRecord]:
        """Return every decision that was sealed, as the journal has it."""
        self.ledger.refresh()
        return {name: self.ledger.decisions[name] for name in self.decision_ids}

    def unended(self) -> list[DecisionRecord]:
        return [record for record in self.decisions().values() if record.state not in FINAL_STATES]

    def is_queue_empty(self) -> bool:
        return self.receiver.is_empty()

    def verify(self) -> bool:
        return check_database(self.database, self.home.journal_elsewhere).ok

    def close(self) -> None:
        self.journal.close()

    def _configure(self, queue_url: str) -> None:
        name = self.pair.exchange
        self.home.config.write_text(
            f'mode = "paper"\nvenue = "{name}"\n'
            f'[ledger]\nurl = "{self.database}"\n'
            f'[queue]\nkind = "sqs"\nurl = "{queue_url}"\nendpoint_url = "{self.sqs}"\n'
            f"visibility_s = {VISIBILITY_S}\nmax_receives = 500\n"
            f'[venues.{name}]\nexchange = "{name}"\n'
            f'symbols = {{ "{self.pair.symbol}" = "{self.pair.symbol}" }}\ndollars = ["{self.pair.quote}"]\n'
            f'endpoint_url = "http://{LOOPBACK}:{self.network.port}"\ntimeout_s = 2.0\n'
            "requests_per_s = 1000.0\norders_per_s = 100.0\n"
        )

    def _bring_prices(self) -> None:
        """Import a month of hourly bars around the price that the exchange quotes."""
        newest = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        lines = ["ts,open,high,low,close,volume"]
        for hours in range(24 * 30, -1, -1):
            at = (newest - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
            lines.append(f"{at},100.00,100.60,99.40,{100 + (hours % 5 - 2) * 0.1 if hours else 100:.2f},1000")
        bars = self.root / "bars.csv"
        bars.write_text("\n".join(lines) + "\n")
        import_file(self.home, bars, instrument=self.pair.symbol, interval=Interval.HOUR)


def wait_until(is_so: Callable[[], bool], *, most_s: float, every_s: float = 0.05) -> bool:
    """Wait for other processes to get somewhere; return whether they did in time."""
    patience, deadline = threading.Event(), time.monotonic() + most_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        patience.wait(every_s)
    return True


@contextmanager
def local_exchange(dialect: str) -> Iterator[dict[str, Any]]:
    """Run the local exchange as a process of its own until the block ends."""
    command = [sys.executable, "-m", "tests.exchange", "--with-parent", "--dialect", dialect]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield json.loads(running.stdout.readline())
        finally:
            running.kill()


@contextmanager
def trading_post(
    root: Path, dialect: str, *, seed: int, postgres: PostgresServer, sqs: str, environment: dict[str, str]
) -> Iterator[TradingPost]:
    """Run an exchange, a network and a home until the block ends."""
    with local_exchange(dialect) as ready:
        port = int(ready["url"].rpartition(":")[2])
        with unsteady_network(port, seed=seed) as network:
            database = postgres.url("writer", postgres.fresh())
            post = TradingPost(root, PAIRS[dialect], network, ready, database, sqs, environment)
            try:
                yield post
            finally:
                with suppress(Fault):
                    post.close()
