"""Where everything lies below `--home`; nothing is written elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "WHEN_TO_INVEST_HOME"
DEFAULT_HOME: Final = Path("~/.when-to-invest")


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one home directory. Making a `Home` touches nothing on disk."""

    root: Path

    @property
    def config(self) -> Path:
        """Settings a person edits."""
        return self.root / "config.toml"

    @property
    def clock(self) -> Path:
        """The replay clock's present instant."""
        return self.root / "clock.json"

    @property
    def lake(self) -> Path:
        """Imported market data, one folder an instrument."""
        return self.root / "lake"

    @property
    def recommendations(self) -> Path:
        """Recorded recommendations, one JSON file each."""
        return self.root / "recommendations"

    @property
    def snapshots(self) -> Path:
        """The data each recommendation was made from, by hash."""
        return self.root / "snapshots"

    @property
    def trials(self) -> Path:
        """Everything that sweeps have tried, so that no later figure forgets it."""
        return self.root / "trials.jsonl"

    @property
    def journal(self) -> Path:
        """The hash-chained journal (SQLite)."""
        return self.root / "journal.sqlite"

    @property
    def journal_elsewhere(self) -> Path:
        """What the witness of a journal in PostgreSQL is named after; no such file is made."""
        return self.root / "journal.postgres"

    @property
    def queue(self) -> Path:
        """The embedded order queue (SQLite)."""
        return self.root / "queue.sqlite"

    def licence(self, venue: str) -> Path:
        """The signed limits file that allows live trading at a venue; it has no power by itself."""
        return self.root / "live" / f"{venue}.json"

    @property
    def paper_venue(self) -> Path:
        """The paper venue's own books, which the executor reaches only through its port."""
        return self.root / "paper-venue.sqlite"

    @property
    def threads(self) -> Path:
        """The agent's checkpoints (SQLite)."""
        return self.root / "threads.sqlite"

    @property
    def halts(self) -> Path:
        """Latches of the kill switch, one file a halt (`home.latch`)."""
        return self.root / "halts"

    @property
    def petitions(self) -> Path:
        """What waits for several people's signatures, one file a petition."""
        return self.root / "petitions"

    @property
    def keys(self) -> Path:
        """Encrypted keystores, one file a key."""
        return self.root / "keys"

    @property
    def run(self) -> Path:
        """Addresses, tokens, process ids and logs of running services."""
        return self.root / "run"

    def make(self) -> Home:
        """Create the directory, readable by its owner only."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self


def home_at(given: Path | None) -> Home:
    """Return the home given on the command line, by the environment, or the default."""
    chosen = given or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)
    return Home(chosen.expanduser().absolute())
