"""A server's errors become faults that say what to do, and a connection is renewed only when it is lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from ledger.postgres_link import BUSY_TIMEOUT_MS, PASSWORD_VARIABLE, PostgresLink, connect, translated
from tests.ledger.postgres_server import PostgresServer
from when_to_invest.errors import ErrorCode, Fault

WORDS = {
    "55P03": (ErrorCode.JOURNAL_CONFLICT, "another process holds the journal"),
    "57014": (ErrorCode.JOURNAL_CONFLICT, "another process holds the journal"),
    "40P01": (ErrorCode.JOURNAL_CONFLICT, "another process holds the journal"),
    "40001": (ErrorCode.JOURNAL_CONFLICT, "another process holds the journal"),
    "XX000": (ErrorCode.JOURNAL_CORRUPT, "the server reports damage"),
    "XX001": (ErrorCode.JOURNAL_CORRUPT, "the server reports damage"),
    "28000": (ErrorCode.UNAUTHENTICATED, "refuses this role or its password"),
    "28P01": (ErrorCode.UNAUTHENTICATED, "refuses this role or its password"),
    "3D000": (ErrorCode.JOURNAL_UNREADABLE, "there is no journal there"),
    "42P01": (ErrorCode.JOURNAL_UNREADABLE, "there is no journal there"),
    "42501": (ErrorCode.JOURNAL_UNREADABLE, "there is no journal there"),
    "53100": (ErrorCode.STORAGE_FAILED, "could not store it"),
    "58030": (ErrorCode.STORAGE_FAILED, "could not store it"),
    "2F002": (ErrorCode.STORAGE_FAILED, "could not store it"),
    "08006": (ErrorCode.JOURNAL_UNAVAILABLE, "does not answer"),
    "57P01": (ErrorCode.JOURNAL_UNAVAILABLE, "does not answer"),
    "57P03": (ErrorCode.JOURNAL_UNAVAILABLE, "does not answer"),
}


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.url("writer", "postgres")


@pytest.fixture
def link(url: str) -> Iterator[PostgresLink]:
    with closing(PostgresLink(url)) as opened:
        yield opened


def backend(connection: psycopg.Connection[tuple[object, ...]]) -> object:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("state", WORDS)
def test_each_error_of_the_server_says_what_to_do_and_not_what_the_server_said(state: str) -> None:
    code, words = WORDS[state]
    raised = psycopg.errors.lookup(state)("a row's content")
    with (
        pytest.raises(Fault, match=f"cannot write the journal: .*{words}") as caught,
        translated("write the journal"),
    ):
        raise raised
    assert caught.value.code is code
    assert caught.value.__cause__ is raised
    assert "content" not in str(caught.value.as_json())
    assert (state in caught.value.message) is (code is not ErrorCode.JOURNAL_UNAVAILABLE)


def test_an_error_without_a_state_is_a_server_that_does_not_answer() -> None:
    with pytest.raises(Fault) as caught, translated("read the journal"):
        raise psycopg.OperationalError("connection refused")
    assert caught.value.code is ErrorCode.JOURNAL_UNAVAILABLE


def test_what_is_no_error_of_the_server_passes_as_it_is() -> None:
    with pytest.raises(KeyError), translated("read the journal"):
        raise KeyError("mine")


def test_a_connection_stays_the_same_until_it_is_closed(link: PostgresLink) -> None:
    first = link.connection
    assert link.connection is first
    first.close()
    second = link.connection
    assert second is not first
    assert not second.closed


def test_a_connection_that_the_server_ended_is_renewed(link: PostgresLink, postgres: PostgresServer) -> None:
    first = link.connection
    with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (backend(first),))
    with pytest.raises(psycopg.OperationalError):
        first.execute("SELECT 1")
    assert backend(link.connection) is not None
    assert link.connection is not first


def test_a_link_that_was_never_used_closes_and_one_that_was_lets_its_connection_go(url: str) -> None:
    unused = PostgresLink(url)
    assert not unused.is_over
    unused.close()
    assert unused.is_over
    used = PostgresLink(url)
    connection = used.connection
    used.close()
    used.close()
    assert used.is_over
    assert connection.closed


def test_every_statement_commits_by_itself_durably_and_waits_for_a_lock_in_bounds(url: str) -> None:
    with closing(connect(url)) as connection:
        assert connection.autocommit
        for name, value in {
            "synchronous_commit": "on",
            "lock_timeout": f"{BUSY_TIMEOUT_MS // 1_000}s",
            "idle_in_transaction_session_timeout": f"{3 * BUSY_TIMEOUT_MS // 1_000}s",
            "default_transaction_isolation": "read committed",
            "search_path": "pg_catalog",
            "application_name": "when-to-invest",
        }.items():
            assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,)


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def noted(url: str, **named: object) -> str:
        asked.update(named, url=url)
        return "a connection"

    monkeypatch.setattr(psycopg, "connect", noted)
    monkeypatch.setenv(PASSWORD_VARIABLE, "hunter-2")
    assert connect("postgresql://writer@db/journal") == "a connection"  # type: ignore[comparison-overlap]
    assert (asked["url"], asked["password"]) == ("postgresql://writer@db/journal", "hunter-2")
    assert (asked["autocommit"], asked["connect_timeout"]) == (True, 10)


def test_without_the_library_the_fault_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Fault, match="psycopg is not installed") as caught:
        connect("postgresql://writer@db/journal")
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
    assert "[postgres]" in caught.value.fix
