"""What PostgreSQL adds: roles that cannot change anything, migrations, and a server that goes away."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger import postgres_journal
from ledger import postgres_schema as schema
from ledger.journal import EMPTY, Head
from ledger.postgres_journal import PostgresJournal, check_database, open_postgres_journal
from ledger.postgres_link import PASSWORD_VARIABLE, PostgresLink
from ledger.verify import FirstBad
from ledger.witness import read_witness, witness_path
from tests.ledger.journals import drill
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.stores import Store, store_of
from tests.when_to_invest.samples import one_of_each
from when_to_invest.errors import ErrorCode, Fault

APPEND_ONLY = "2F002"
DENIED = "42501"
INSERT = "INSERT INTO journal.events VALUES (%s, %s, %s, %s)"
Connection = psycopg.Connection[tuple[object, ...]]
Links = list[tuple[int, bytes, bytes, bytes]]


@pytest.fixture
def store(postgres: PostgresServer, tmp_path: Path) -> Store:
    return store_of("postgres", tmp_path, postgres)


def _refused(store: Store, role: str, statement: str, *values: object) -> str | None:
    assert store.server is not None
    with psycopg.connect(store.server.url(role, store.database)) as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement.encode(), values)
        return caught.value.sqlstate


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal.events SET event = ''",
        "DELETE FROM journal.events",
        "TRUNCATE journal.events",
        "ALTER TABLE journal.events DISABLE TRIGGER USER",
        "DROP TABLE journal.events",
        "CREATE TABLE journal.more ()",
        "UPDATE journal.migrations SET number = 9",
        "SET session_replication_role = replica",
    ],
)
@pytest.mark.parametrize("role", ["writer", "reader"])
def test_no_role_in_use_may_change_what_was_recorded(store: Store, role: str, statement: str) -> None:
    with store.opened() as journal:
        journal.append([drill(1)])
    assert _refused(store, role, statement) == DENIED


@pytest.mark.parametrize(
    "statement",
    ["UPDATE journal.events SET event = ''", "DELETE FROM journal.events", "TRUNCATE journal.events"],
)
def test_not_even_the_owner_changes_it_in_passing(store: Store, statement: str) -> None:
    with store.opened() as journal:
        journal.append([drill(1)])
    assert _refused(store, "owner", statement) == APPEND_ONLY


def test_the_server_takes_only_what_follows_the_last_event(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(1), drill(2)])
        whole = [
            (n.sequence, bytes.fromhex(n.previous_hash), bytes.fromhex(n.hash), n.event.canonical())
            for n in journal.read()
        ]
    third = (3, whole[1][2], b"\x01" * 32, b"{}")
    assert _refused(store, "writer", INSERT, *third) == APPEND_ONLY
    assert _refused(store, "writer", INSERT, 4, *whole[1][1:]) == APPEND_ONLY
    assert _refused(store, "writer", INSERT, *whole[1]) == APPEND_ONLY
    assert _refused(store, "reader", INSERT, *third) == DENIED


def test_a_role_that_may_change_the_journal_is_not_let_in(store: Store) -> None:
    assert store.server is not None
    for role in ("owner", "postgres"):
        with pytest.raises(Fault, match="may change the journal") as caught:
            open_postgres_journal(store.server.url(role, store.database), store.witnessed_at)
        assert caught.value.code is ErrorCode.BAD_CONFIG


def test_a_server_that_does_not_sync_is_not_written_to(store: Store) -> None:
    assert store.server is not None
    with store.server.owner(store.database) as connection:
        connection.execute(f"ALTER DATABASE {store.database} SET synchronous_commit = off".encode())
    with store.opened() as journal:  # our own session asks for it
        assert isinstance(journal, PostgresJournal)
        row = journal._link.connection.execute("SHOW synchronous_commit").fetchone()
    assert row == ("on",)


def test_an_old_database_is_migrated_and_still_verifies(postgres: PostgresServer, tmp_path: Path) -> None:
    store = Store(tmp_path, postgres, postgres.fresh(up_to=1))
    with pytest.raises(Fault, match="at migration 1") as caught:
        store.open()
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
    donor = store_of("postgres", tmp_path / "donor", postgres)
    donor.directory.mkdir()
    with donor.opened() as journal:
        head = journal.append(one_of_each())
        links = [
            (n.sequence, bytes.fromhex(n.previous_hash), bytes.fromhex(n.hash), n.event.canonical())
            for n in journal.read()
        ]
    with postgres.owner(store.database) as connection:
        with connection.cursor() as cursor:
            cursor.executemany(INSERT, links)
        assert schema.migrated_to(connection) == 1
        assert schema.migrate(connection) == schema.LATEST
        assert schema.migrate(connection) == schema.LATEST  # doing it again changes nothing
        assert schema.schema_problems(connection) == []
    with store.opened() as journal:
        assert journal.head() == head
        assert [recorded.event for recorded in journal.read()] == one_of_each()
        assert journal.append([drill(1)]).sequence == head.sequence + 1


def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    assert store.server is not None
    with store.server.owner(store.database) as connection:
        connection.execute("INSERT INTO journal.migrations VALUES (4, 'of the future', 'x')")
        with pytest.raises(Fault, match="another version"):
            schema.migrate(connection)
    with pytest.raises(Fault, match="another version"):
        store.open()


def test_a_guard_that_was_switched_off_is_told(store: Store) -> None:
    assert store.server is not None
    with store.opened() as journal:
        assert isinstance(journal, PostgresJournal)
        assert journal.guard_problems() == []
        with store.server.owner(store.database) as connection:
            connection.execute("ALTER TABLE journal.events DISABLE TRIGGER events_stay")
        assert journal.guard_problems() == ["the trigger events_stay is missing or switched off"]


def _cut(journal: PostgresJournal, server: PostgresServer) -> None:
    """End the journal's session from the server's side."""
    row = journal._link.connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", row)


def test_a_lost_connection_is_one_retryable_fault_and_then_forgotten(store: Store) -> None:
    assert store.server is not None
    with store.opened() as journal:
        assert isinstance(journal, PostgresJournal)
        head = journal.append([drill(1)])
        _cut(journal, store.server)
        with pytest.raises(Fault) as caught:
            journal.append([drill(2)], expected=head)
        assert caught.value.code is ErrorCode.JOURNAL_UNAVAILABLE
        assert caught.value.is_retryable
        assert journal.append([drill(2)], expected=head).sequence == 2


def test_a_commit_that_was_cut_off_is_looked_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.opened() as journal:
        assert isinstance(journal, PostgresJournal)
        real = postgres_journal._insert

        def insert_commit_and_die(connection: Connection, links: Links) -> None:
            real(connection, links)
            connection.execute("COMMIT")
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(postgres_journal, "_insert", insert_commit_and_die)
        head = journal.append([drill(1)])
        assert head.sequence == 1
        assert journal.head() == head


def test_a_full_server_disk_is_a_storage_fault_and_records_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise psycopg.errors.DiskFull("could not extend file")

    with store.opened() as journal:
        head = journal.append([drill(1)])
        with monkeypatch.context() as patch:
            patch.setattr(postgres_journal, "_insert", full)
            with pytest.raises(Fault) as caught:
                journal.append([drill(2)])
        assert caught.value.code is ErrorCode.STORAGE_FAILED
        assert journal.head() == head
        assert journal.append([drill(2)]).sequence == 2


@pytest.mark.proof
def test_a_server_that_lost_power_keeps_what_was_answered(tmp_path: Path) -> None:
    from tests.ledger.postgres_server import postgres_server

    with postgres_server() as server:
        store = store_of("postgres", tmp_path, server)
        with store.opened() as journal:
            head = Head(0, "")
            for number in range(20):
                head = journal.append([drill(number), drill(number)])
            server.crash()
            with pytest.raises(Fault) as caught:
                journal.append([drill(0)])
            assert caught.value.code is ErrorCode.JOURNAL_UNAVAILABLE
            server.start()
            assert journal.head() == head
            assert sum(1 for _ in journal.read()) == 40
            assert journal.append([drill(21)], expected=head).sequence == 41


def test_nothing_that_does_not_answer_tells_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "hunter-2")
    with pytest.raises(Fault) as caught:
        open_postgres_journal(f"postgresql://writer@/journal?host={tmp_path}", tmp_path / "journal")
    assert caught.value.code is ErrorCode.JOURNAL_UNAVAILABLE
    assert "hunter-2" not in repr(caught.value.as_json())


def test_a_database_without_a_journal_says_how_to_make_one(postgres: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="no journal") as caught:
        open_postgres_journal(postgres.url("writer", "postgres"), tmp_path / "journal")
    assert "journal migrate" in caught.value.fix


def test_the_command_lays_out_the_journal_and_sets_the_roles_rights(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cli.commands.journals import migrate

    name = f"by_command_{os.getpid()}"
    with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER owner".encode())
    for _ in "twice":
        migrate(owner_url=postgres.url("owner", name), writer="writer", reader="reader", json=True)
    assert f'"migration":{schema.LATEST}' in capsys.readouterr().out.replace(" ", "")
    store = Store(tmp_path, postgres, name)
    with store.opened() as journal:
        journal.append([drill(1)])
    assert _refused(store, "writer", "DELETE FROM journal.events") == DENIED


def test_the_command_takes_no_url_with_a_password() -> None:
    from ledger.postgres_migrations import bring_up_to_date

    with pytest.raises(Fault) as caught:
        bring_up_to_date("postgresql://owner:hunter-2@db/journal", writer=None, reader=None)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
    assert "hunter-2" not in repr(caught.value.as_json())


def test_events_that_go_while_they_are_read_are_missed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_journal, "_BATCH", 2)
    with store.opened() as journal:
        journal.append([drill(1), drill(2), drill(3)])
        reading = journal.read()
        assert next(reading).sequence == 1
        store.tamper("DELETE FROM events WHERE sequence = 3")
        assert next(reading).sequence == 2
        with pytest.raises(Fault, match=r"event 3 .*there a moment ago") as caught:
            next(reading)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_reading_on_after_an_event_that_is_gone_names_it(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(1)])
        with pytest.raises(Fault, match=r"event 2 .*read before") as caught:
            next(journal.read(after=2))
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_a_journal_that_was_closed_stays_closed(store: Store) -> None:
    journal = store.open()
    journal.append([drill(1)])
    journal.close()
    for ask in (journal.head, lambda: list(journal.read()), lambda: journal.append([drill(2)])):
        with pytest.raises(Fault, match="was closed") as caught:
            ask()
        assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE


def test_what_becomes_of_a_commit_that_was_cut_off_is_awaited(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may still be at it: asking before it is over would find nothing and be wrong."""
    assert store.server is not None
    real_turn, real_insert = postgres_journal._turn, postgres_journal._insert
    other = psycopg.connect(store.server.url("writer", store.database))

    def insert_elsewhere_and_die(connection: Connection, links: Links) -> None:
        real_insert(other, links)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def turn(connection: Connection) -> Head:
        if other.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS:
            other.commit()
        return real_turn(connection)

    with store.opened() as journal, closing(other):
        monkeypatch.setattr(postgres_journal, "_insert", insert_elsewhere_and_die)
        monkeypatch.setattr(postgres_journal, "_turn", turn)
        head = journal.append([drill(1)])
        assert head == journal.head()
        assert head.sequence == 1


def test_a_commit_that_was_cut_off_and_undone_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(connection: Connection, _: Links) -> None:
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with store.opened() as journal:
        head = journal.append([drill(1)])
        with monkeypatch.context() as patch:
            patch.setattr(postgres_journal, "_insert", die)
            with pytest.raises(Fault) as caught:
                journal.append([drill(2)])
            with pytest.raises(Fault):
                journal.append([])
        assert caught.value.code is ErrorCode.JOURNAL_UNAVAILABLE
        assert journal.head() == head


def test_where_no_witness_can_be_written_nobody_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwritable(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(postgres_journal, "Witness", unwritable)
    with pytest.raises(Fault, match="cannot be written from here") as caught:
        store.open()
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    store.open(is_read_only=True).close()


def test_what_was_appended_is_witnessed_when_the_journal_opens_and_each_time(store: Store) -> None:
    with store.opened() as journal:
        assert read_witness(store.witnessed_at) == EMPTY
        head = journal.append([drill(1)])
        assert read_witness(store.witnessed_at) == head
    witness_path(store.witnessed_at).unlink()
    with store.opened(is_read_only=True):
        assert read_witness(store.witnessed_at) is None
    with store.opened():
        assert read_witness(store.witnessed_at) == head


def test_a_tail_that_was_witnessed_and_is_gone_is_named_by_its_first_event(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(1), drill(2), drill(3)])
    store.tamper("DELETE FROM events WHERE sequence > 1")
    with pytest.raises(Fault, match=r"event 2 .*missing though the witness saw it"):
        store.open()


def test_another_event_in_the_place_of_the_witnessed_one_is_named(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(1), drill(2)])
    store.tamper("UPDATE events SET hash = zeroblob(32) WHERE sequence = 2")
    for is_read_only in (True, False):
        with pytest.raises(Fault, match=r"event 2 .*the witness saw another event"):
            store.open(is_read_only=is_read_only)


def test_a_whole_database_checks_to_its_last_event(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_journal, "_BATCH", 2)
    assert check_database(store.place, store.witnessed_at).ok
    with store.opened() as journal:
        head = journal.append([drill(number) for number in range(5)])
        checked = check_database(store.place, store.witnessed_at)
    assert (checked.ok, checked.events, checked.head, checked.first_bad) == (True, 5, head, None)


def test_what_is_wrong_with_a_database_is_told(store: Store) -> None:
    assert store.server is not None
    with store.opened() as journal:
        journal.append([drill(1), drill(2), drill(3)])
    with store.server.owner(store.database) as connection:
        connection.execute("ALTER TABLE journal.events DISABLE TRIGGER events_stay")
    checked = check_database(store.place, store.witnessed_at)
    assert (checked.ok, checked.first_bad) == (
        False,
        FirstBad(None, "the trigger events_stay is missing or switched off"),
    )
    store.tamper("DELETE FROM events WHERE sequence = 3")
    checked = check_database(store.place, store.witnessed_at)
    assert checked.first_bad is not None
    assert checked.first_bad.sequence == 3


@pytest.mark.parametrize("opens", [open_postgres_journal, check_database])
def test_a_database_that_is_refused_is_let_go(
    store: Store, monkeypatch: pytest.MonkeyPatch, opens: Callable[[str, Path], object]
) -> None:
    links: list[PostgresLink] = []

    class Noted(PostgresLink):
        def __init__(self, url: str) -> None:
            super().__init__(url)
            links.append(self)

    def refuse(*_: object, is_read_only: bool) -> None:
        raise Fault(ErrorCode.BAD_CONFIG, f"not this one: {is_read_only}", fix="another")

    monkeypatch.setattr(postgres_journal, "PostgresLink", Noted)
    with monkeypatch.context() as patch:
        patch.setattr(postgres_journal, "demand_ready", refuse)
        with pytest.raises(Fault, match=f"not this one: {opens is check_database}"):
            opens(store.place, store.witnessed_at)
    assert [link.is_over for link in links] == [True]
    check_database(store.place, store.witnessed_at)
    assert [link.is_over for link in links] == [True, True]


def test_what_is_no_hash_equals_none() -> None:
    assert postgres_journal._hex(b"\x0a\xff") == "0aff"
    assert postgres_journal._hex("0aff") == postgres_journal._hex(None) == ""
