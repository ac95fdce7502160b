"""A database server that is killed during appends: what was answered is there, and nothing is there twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from ledger.journal import EMPTY, Journal
from ledger.postgres_journal import check_database
from tests.conftest import Proof
from tests.ledger.journals import drill
from tests.ledger.postgres_server import PostgresServer, postgres_server
from tests.ledger.stores import Store, store_of
from when_to_invest.errors import ErrorCode, Fault

TIMEOUT_S = 60.0
MOST_BEFORE_THE_KILL = 60


class Writer(Thread):
    """Appends pair after pair, each on the head that it was told of, until it is told of a fault."""

    def __init__(self, journal: Journal, *, kill_at: int) -> None:
        super().__init__()
        self.journal, self.kill_at = journal, kill_at
        self.head, self.number = EMPTY, 0
        self.fault: Fault | None = None
        self.is_due = Event()

    def run(self) -> None:
        try:
            while True:
                self.number += 1
                if self.number == self.kill_at:
                    self.is_due.set()
                pair = [drill(self.number), drill(self.number)]
                self.head = self.journal.append(pair, expected=self.head)
        except Fault as fault:
            self.fault = fault


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Yield a server of this file's own: it is killed again and again."""
    with postgres_server() as own:
        yield own


@contextmanager
def _killed_under(store: Store, seed: int) -> Iterator[tuple[Writer, Journal]]:
    """Yield a writer that was told of a fault, and its journal over the server that is back."""
    assert store.server is not None
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    with store.opened() as journal:
        writer = Writer(journal, kill_at=chance.randint(1, MOST_BEFORE_THE_KILL))
        writer.start()
        assert writer.is_due.wait(TIMEOUT_S)
        store.server.kill()
        writer.join(TIMEOUT_S)
        assert not writer.is_alive()
        store.server.start_again()
        yield writer, journal


@pytest.mark.proof
def test_a_server_killed_during_appends_loses_nothing_and_doubles_nothing(
    tmp_path: Path, server: PostgresServer, proof: Proof
) -> None:
    for seed in proof.seeds(ci=2, full=15):
        (directory := tmp_path / str(seed)).mkdir()
        store = store_of("postgres", directory, server)
        with _killed_under(store, seed) as (writer, journal):
            assert writer.fault is not None
            assert writer.fault.code is ErrorCode.JOURNAL_UNAVAILABLE
            assert writer.fault.is_retryable
            was_found = _tried_again(journal, writer)
            recorded = [row.event for row in journal.read()]
            assert recorded == [drill(1 + place // 2) for place in range(2 * writer.number)], was_found
        checked = check_database(store.place, store.witnessed_at)
        assert checked.ok, checked
        assert checked.events == 2 * writer.number


def _tried_again(journal: Journal, writer: Writer) -> bool:
    """Append once more what nobody knows the outcome of, on the same head; return whether it was there."""
    pair = [drill(writer.number), drill(writer.number)]
    was_found = journal.head() != writer.head
    if was_found:
        with pytest.raises(Fault) as caught:
            journal.append(pair, expected=writer.head)
        assert caught.value.code is ErrorCode.JOURNAL_CONFLICT
    else:
        journal.append(pair, expected=writer.head)
    assert journal.head().sequence == writer.head.sequence + 2
    return was_found
