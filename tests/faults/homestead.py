"""A real home on disk: config, clock, seal key, journal, queue, and real executor processes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from executor.main import SEAL_KEY
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

SCRIPT = Path(__file__).with_name("killed_executor.py")
PASSPHRASE = "only for tests"  # noqa: S105 - opens nothing but this home's throw-away key
EVENING = datetime(2018, 6, 4, 21, 5, tzinfo=UTC)
NEXT_DAY = datetime(2018, 6, 5, 14, 31, tzinfo=UTC)
"""One minute after the open of the session that follows `EVENING`."""
LIMIT_USD = Decimal("2770.00")
"""Above the recorded close of 4 June 2018 (2746.87) and inside the collar."""
QUANTITY = Decimal("1.500")
VISIBILITY_S = 1


@dataclass
class Homestead:
    """Paths and processes of one home."""

    root: Path
    settings: str = ""
    home: Home = field(init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.root).make()
        self.home.config.write_text(
            f'mode = "replay"\n{self.settings}\n[queue]\nvisibility_s = {VISIBILITY_S}\nmax_receives = 50\n'
        )
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

    def propose(self, number: int = 1) -> str:
        return self.gate.propose(number, quantity=QUANTITY + number, limit_price_usd=LIMIT_USD)

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

    def decision(self, decision_id: str) -> DecisionRecord:
        return self._ledger().decisions[decision_id]

    @property
    def book(self) -> AccountBook:
        return self._ledger().book

    def fills(self) -> list[ev.OrderFilled]:
        return [item.event for item in self.journal.read() if isinstance(item.event, ev.OrderFilled)]

    def venue_trades(self, decision_id: str) -> list[Trade]:
        """Return what the venue's own book holds for every order of a decision."""
        book = PaperBook(self.home.paper_venue)
        try:
            orders = self.decision(decision_id).orders
            return [trade for name in orders for trade in book.trades(name)]
        finally:
            book.close()

    def journal_is_sound(self) -> bool:
        return verify_journal(self.home.journal).ok

    def close(self) -> None:
        self.journal.close()
        self.queue.close()

    def _ledger(self) -> LiveLedger:
        ledger = LiveLedger(self.journal)
        ledger.refresh()
        return ledger
