"""What PostgreSQL adds: roles that cannot change anything, migrations, and a server that goes away."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from ledger import postgres_schema as schema
from ledger.journal import Head
from ledger.postgres_journal import PostgresJournal, open_postgres_journal
from ledger.postgres_link import PASSWORD_VARIABLE
from tests.ledger.journals import drill
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.stores import Store, store_of
from tests.when_to_invest.samples import one_of_each
from when_to_invest.errors import ErrorCode, Fault

APPEND_ONLY = "2F002"
DENIED = "42501"
INSERT = "INSERT INTO journal.events VALUES (%s, %s, %s, %s)"


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
    from ledger import postgres_journal

    with store.opened() as journal:
        assert isinstance(journal, PostgresJournal)
        real = postgres_journal._insert

        def insert_commit_and_die(
            connection: psycopg.Connection[tuple[object, ...]], links: list[tuple[int, bytes, bytes, bytes]]
        ) -> None:
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
    from ledger import postgres_journal

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

    name = f"by_command_{tmp_path.name[-1]}"
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
