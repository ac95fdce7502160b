"""A writer to PostgreSQL that is killed without warning loses nothing it was told is durable."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.postgres_journal import check_database
from tests.conftest import Proof
from tests.ledger.journals import drill
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.stores import store_of
from tests.ledger.test_processes import _kill_after, _start


@pytest.mark.proof
def test_a_killed_writer_loses_nothing_and_blocks_nobody(
    tmp_path: Path, postgres: PostgresServer, proof: Proof
) -> None:
    for seed in proof.seeds(ci=2, full=100):
        (directory := tmp_path / str(seed)).mkdir()
        store = store_of("postgres", directory, postgres)
        place = f"{store.place} {store.witnessed_at}"
        durable = int(_kill_after(_start("appending", place, "gate"), 1 + 7 * seed % 90)[-1])
        with store.opened() as journal:
            head = journal.head()
            assert head.sequence >= durable
            # A group is there with both its events or not at all.
            assert head.sequence % 2 == 0
            assert journal.append([drill(1)], expected=head).sequence == head.sequence + 1
            assert sum(1 for _ in journal.read()) == head.sequence + 1
        checked = check_database(store.place, store.witnessed_at)
        assert checked.ok, checked
        assert checked.is_tail_witnessed
