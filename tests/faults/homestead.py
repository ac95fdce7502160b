"""A real home on disk: config, clock, seal key, journal, queue, and real executor processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from executor.market import HomeMarket
from executor.venues.paper_book import PaperBook
from executor.venues.port import Trade
from home.clock import ReplayClock
from home.paths import Home
from ledger.live import LiveLedger
from ledger.sqlite_journal import open_journal
from ledger.sqlite_queue import SqliteQueue
from ledger.verify import verify_journal
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from tests.executor.gatehouse import Gatehouse
from when_to_invest import events as ev
from when_to_invest.history import DecisionRecord
from when_to_invest.portfolio import AccountBook

SEAL_KEY = "seal.json"
SCRIPT = Path(__file__).with_name("killed_executor.py")
PASSPHRASE = "only for tests"  # noqa: S105 - opens nothing but this home's throw-away key
EVENING = datetime(2018, 6, 4, 21, 5, tzinfo=UTC)
NEXT_DAY = datetime(2018, 6, 5, 14, 31, tzinfo=UTC)
"""One minute after the open of the session that follows `EVENING`."""
LIMIT_USD = Decimal("2770.00")
"""Above the recorded close of 4 June 2018 (2746.87) and inside the collar."""
QUANTITY = Decimal("0.900")
VISIBILITY_S = 1


@dataclass
class Homestead:
    """Paths and processes of one home."""

    root: Path
    settings: str = ""
    home: Home = field(init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.root).make()
        self.decision_ids: list[str] = []
        self.configure(self.settings)
        self.clock = ReplayClock(self.home.clock)
        self.clock.move_to(EVENING)
        self.home.keys.mkdir(mode=0o700, exist_ok=True)
        key = self.home.keys / SEAL_KEY
        create_keystore(key, passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR)
        self.journal = open_journal(self.home.journal)
        self.queue = SqliteQueue(self.home.queue, visibility_s=VISIBILITY_S, max_receives=50)
        self.gate = Gatehouse(
            journal=self.journal,
            sender=self.queue,
            market=HomeMarket(self.home),
            clock=self.clock,
            signer=unlock_keystore(key, passphrase=PASSPHRASE),
        )
        self.gate.fund()

    def configure(self, settings: str) -> None:
        """Write the configuration: `settings`, and a queue that gives messages back soon."""
        queue = f"[queue]\nvisibility_s = {VISIBILITY_S}\nmax_receives = 50\n"
        self.home.config.write_text(settings if "[queue]" in settings else f"{settings}\n{queue}")

    def propose(self, number: int = 1) -> str:
        decision_id = self.gate.propose(
            number, quantity=QUANTITY + Decimal(number) / 10, limit_price_usd=LIMIT_USD
        )
        self.decision_ids.append(decision_id)
        return decision_id

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a real executor process."""
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.root), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={},
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a real executor process to its end."""
        process = self.start(*arguments)
        _, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, "", errors)

    def run_to_end(self) -> None:
        """Run a real executor until nothing is left to do."""
        ended = self.run()
        assert ended.returncode == 0, ended.stderr

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for another process to get somewhere; a test's own timeout ends it otherwise."""
        patience = threading.Event()
        while not is_so():
            patience.wait(0.01)

    def decision(self, decision_id: str) -> DecisionRecord:
        return self._ledger().decisions[decision_id]

    @property
    def book(self) -> AccountBook:
        return self._ledger().book

    def kinds(self, kind: type[ev.Event]) -> list[ev.Event]:
        return [item.event for item in self.journal.read() if isinstance(item.event, kind)]

    def fills(self) -> list[ev.OrderFilled]:
        return [item.event for item in self.journal.read() if isinstance(item.event, ev.OrderFilled)]

    def venue_trades(self, decision_id: str) -> list[Trade]:
        """Return what the venue's own book holds for every order of a decision."""
        with closing(PaperBook(self.home.paper_venue)) as book:
            return [trade for name in self.decision(decision_id).orders for trade in book.trades(name)]

    def venue_knows(self, decision_id: str) -> bool:
        """Whether the venue's own book holds an order of a decision."""
        with closing(PaperBook(self.home.paper_venue)) as book:
            return any(book.order(name) for name in self.decision(decision_id).orders)

    def journal_is_sound(self) -> bool:
        return verify_journal(self.home.journal).ok

    def close(self) -> None:
        self.journal.close()
        self.queue.close()

    def _ledger(self) -> LiveLedger:
        ledger = LiveLedger(self.journal)
        ledger.refresh()
        return ledger
