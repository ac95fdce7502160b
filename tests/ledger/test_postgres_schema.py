"""The layout moves forward one numbered step at a time, and a server that keeps no promise is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger import postgres_schema as schema
from ledger.postgres_migrations import bring_up_to_date
from tests.ledger.journals import drill
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.stores import Store, store_of
from when_to_invest.errors import ErrorCode, Fault

RIGHTS = "SELECT has_table_privilege(%s, %s, %s)"


@pytest.fixture
def store(postgres: PostgresServer, tmp_path: Path) -> Store:
    return store_of("postgres", tmp_path, postgres)


@pytest.fixture
def old(postgres: PostgresServer, tmp_path: Path) -> Store:
    return Store(tmp_path, postgres, postgres.fresh(up_to=1))


class Answering:
    """A connection to a server with other settings, or to one that answers nothing."""

    def __init__(self, settings: dict[str, str] | None, rights: tuple[bool, ...] | None = None) -> None:
        self._settings, self._rights = settings, rights
        self._row: tuple[object, ...] | None = None

    def execute(self, statement: str, values: tuple[str, ...] = ()) -> Answering:
        if values:
            self._row = None if self._settings is None else (self._settings.get(values[0], "on"),)
        else:
            self._row = self._rights
        return self

    def fetchone(self) -> tuple[object, ...] | None:
        return self._row


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"fsync": "off"}, "fsync = off"),
        ({"full_page_writes": "off"}, "full_page_writes = off"),
        ({"synchronous_commit": "local"}, "synchronous_commit = local"),
        (None, "fsync = nothing"),
    ],
)
def test_a_server_that_may_lose_an_answer_is_refused(settings: dict[str, str] | None, told: str) -> None:
    connection: Any = Answering(settings)
    with pytest.raises(Fault, match=told) as caught:
        schema._demand_durable(connection)
    assert caught.value.code is ErrorCode.BAD_CONFIG
    assert told.partition(" ")[0] in caught.value.fix


def test_a_server_that_keeps_its_answers_is_taken() -> None:
    connection: Any = Answering({"synchronous_commit": "remote_apply"})
    schema._demand_durable(connection)


@pytest.mark.parametrize("rights", [(True, False), (False, True), (True, True), None])
def test_a_role_that_may_do_more_or_of_which_nothing_is_known_is_refused(
    rights: tuple[bool, ...] | None,
) -> None:
    connection: Any = Answering({}, rights)
    with pytest.raises(Fault, match="may change the journal") as caught:
        schema._demand_no_rights_beyond(connection)
    assert caught.value.code is ErrorCode.BAD_CONFIG


def test_a_role_that_may_do_no_more_is_taken() -> None:
    connection: Any = Answering({}, (False, False))
    schema._demand_no_rights_beyond(connection)


def test_each_step_is_done_once_and_noted(store: Store, old: Store) -> None:
    for each, expected in ((old, 1), (store, schema.LATEST)):
        assert each.server is not None
        with each.server.owner(each.database) as connection:
            assert schema.migrated_to(connection) == expected
            assert connection.execute("SELECT number, what, digest FROM journal.migrations").fetchall() == [
                (step.number, step.what, step.digest) for step in schema.MIGRATIONS[:expected]
            ]


def test_migrating_to_where_it_is_or_less_takes_nothing_back(store: Store) -> None:
    assert store.server is not None
    with store.server.owner(store.database) as connection:
        assert schema.migrate(connection, up_to=1) == schema.LATEST
        assert schema.migrated_to(connection) == schema.LATEST


def test_a_step_that_was_done_otherwise_is_refused(store: Store) -> None:
    assert store.server is not None
    with store.server.owner(store.database) as connection:
        connection.execute("UPDATE journal.migrations SET digest = 'x' WHERE number = 2")
        with pytest.raises(Fault, match="another version") as caught:
            schema.migrated_to(connection)
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE


def test_a_migration_waits_its_turn_behind_an_append(old: Store) -> None:
    assert old.server is not None
    with old.server.owner(old.database) as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(%s)", (schema.APPEND_LOCK,))
        with old.server.owner(old.database) as connection:
            connection.execute("SET lock_timeout = 1")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                schema.migrate(connection)
            assert schema.migrated_to(connection) == 1


def test_a_reader_is_held_to_the_layout_and_not_to_a_writers_rights(store: Store, old: Store) -> None:
    assert store.server is not None
    with store.server.owner(store.database) as connection:
        schema.demand_ready(connection, is_read_only=True)
        with pytest.raises(Fault, match="may change the journal"):
            schema.demand_ready(connection, is_read_only=False)
    needed = f"at migration 1, this version needs {schema.LATEST}"
    with store.server.owner(old.database) as connection, pytest.raises(Fault, match=needed) as caught:
        schema.demand_ready(connection, is_read_only=True)
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE


def test_a_writer_on_a_server_that_does_not_sync_is_refused(store: Store) -> None:
    assert store.server is not None
    with psycopg.connect(store.server.url("writer", store.database), autocommit=True) as connection:
        schema.demand_ready(connection, is_read_only=False)
        connection.execute("SET synchronous_commit = off")
        with pytest.raises(Fault, match="synchronous_commit = off"):
            schema.demand_ready(connection, is_read_only=False)
        schema.demand_ready(connection, is_read_only=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ENABLE TRIGGER events_follow", ["events_follow"]),  # not ALWAYS: a replica's session passes it
        ("DISABLE TRIGGER USER", ["events_follow", "events_stay"]),
    ],
)
def test_every_guard_that_is_not_always_on_is_told_in_order(
    store: Store, change: str, told: list[str]
) -> None:
    assert store.server is not None
    with store.server.owner(store.database) as connection:
        assert schema.schema_problems(connection) == []
        connection.execute(f"ALTER TABLE journal.events {change}".encode())
        assert schema.schema_problems(connection) == [
            f"the trigger {name} is missing or switched off" for name in told
        ]


def test_rights_are_set_for_the_roles_that_are_named_and_taken_beyond_them(store: Store) -> None:
    assert store.server is not None

    def has(role: str, right: str) -> object:
        row = connection.execute(RIGHTS, (role, "journal.events", right)).fetchone()
        assert row is not None
        return row[0]

    with store.server.owner(store.database) as connection:
        connection.execute("GRANT ALL ON journal.events TO writer, reader")
        schema.grant(connection, writer=None, reader=None)
        assert has("writer", "DELETE")
        schema.grant(connection, writer=None, reader="reader")
        assert not has("reader", "INSERT")
        assert has("reader", "SELECT")
        assert has("writer", "DELETE")
        schema.grant(connection, writer="writer", reader=None)
        assert not has("writer", "DELETE")
        assert has("writer", "INSERT")


def test_the_owner_brings_a_journal_up_to_date_and_sets_the_rights(old: Store) -> None:
    assert old.server is not None
    url = old.server.url("owner", old.database)
    assert bring_up_to_date(url, writer="writer", reader="reader") == schema.LATEST
    with old.opened() as journal:
        journal.append([drill(1)])


@pytest.mark.parametrize("fails", [False, True])
def test_the_owners_connection_is_let_go_whatever_happens(
    old: Store, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    from ledger import postgres_migrations

    assert old.server is not None
    seen: list[psycopg.Connection[Any]] = []

    def migrate(connection: psycopg.Connection[Any]) -> int:
        seen.append(connection)
        if fails:
            raise psycopg.errors.InsufficientPrivilege
        return 7

    monkeypatch.setattr(postgres_migrations, "migrate", migrate)
    url = old.server.url("owner", old.database)
    if fails:
        with pytest.raises(Fault, match="cannot migrate the journal") as caught:
            bring_up_to_date(url, writer=None, reader=None)
        assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
    else:
        assert bring_up_to_date(url, writer=None, reader=None) == 7
    (connection,) = seen
    assert connection.closed
