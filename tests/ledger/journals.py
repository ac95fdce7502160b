"""Journals with known content, small ones and ones that fill many pages."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from math import gcd
from pathlib import Path

from ledger.sqlite_journal import open_journal
from tests.when_to_invest.samples import NOW, one_of_each
from when_to_invest.breakers import TradingState
from when_to_invest.events import Event, IntentJudged, Judge, Outcome, TradingStateChanged
from when_to_invest.values import Mode

HASH = "cd" * 32


def drill(number: int) -> TradingStateChanged:
    """Return a small event that tells its number."""
    return TradingStateChanged(
        at=NOW,
        mode=Mode.REPLAY,
        scope="system",
        state=TradingState.HALTED,
        by="operator",
        why=f"drill {number}",
    )


def judged(facts_length: int) -> IntentJudged:
    """Return an event of about `facts_length` bytes: above 4 kB it spills into further pages."""
    return IntentJudged(
        at=NOW,
        mode=Mode.REPLAY,
        decision_id="d-" + "0" * 24,
        judge=Judge.GATE,
        outcome=Outcome.APPROVED,
        reasons=(),
        approvals_needed=0,
        facts_hash=HASH,
        facts_json="x" * facts_length,
        limits_hash=HASH,
    )


def write(path: Path, *groups: Sequence[Event]) -> Path:
    """Append each group in a commit of its own and close the journal."""
    with closing(open_journal(path)) as journal:
        for group in groups:
            journal.append(group)
    return path


def write_small(path: Path) -> Path:
    """Write a journal of a few pages: every kind of event, and one that spills."""
    return write(path, one_of_each(), [judged(9_000)], [drill(1), drill(2)])


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody with the right to write it could, past the triggers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


def flipped(content: bytes, place: int) -> bytes:
    """Return `content` with the bit at `place` inverted."""
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def spread(seed: int, total: int) -> int:
    """Return a place below `total`: far apart for successive seeds, each once in `total` of them."""
    stride = next(step for step in (104_729, 104_723, 104_717) if gcd(step, total) == 1)
    return seed * stride % total


def lengths(seed: int, count: int) -> list[int]:
    """Return event sizes: mostly a few to a page, some around a page, some far above."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    usual = (0, 900, 1_300)
    return [
        chance.choice(usual) if chance.random() < 0.95 else chance.randint(1_500, 9_000) for _ in range(count)
    ]
