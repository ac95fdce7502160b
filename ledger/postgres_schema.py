"""The journal's tables in PostgreSQL: numbered migrations, forward only, and who may do what.

Three roles: the owner migrates and is used for nothing else; the writer may read and insert;
the reader may read. Nobody who runs this program may update, delete or truncate, and the
server itself checks every link, so that a writer can only ever add what follows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from ledger.postgres_link import Connection

APPEND_LOCK: Final = 0x5754494A
"""Key of the lock that one appender at a time holds until its commit is visible."""

_EVENTS: Final = """
CREATE TABLE journal.events (
    sequence bigint PRIMARY KEY CHECK (sequence > 0),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    event bytea NOT NULL
)
"""
_REFUSE: Final = """
CREATE FUNCTION journal.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = '2F002';
END
$$
"""
_STAY: Final = (
    "CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.events"
    " FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse()"
)
_EACH_FOLLOWS: Final = (
    "CREATE TRIGGER events_follow BEFORE INSERT ON journal.events"
    " FOR EACH ROW EXECUTE FUNCTION journal.follow()"
)
_FOLLOW: Final = r"""
CREATE FUNCTION journal.follow() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    last_sequence bigint;
    last_hash bytea;
BEGIN
    SELECT sequence, hash INTO last_sequence, last_hash
        FROM journal.events ORDER BY sequence DESC LIMIT 1;
    last_sequence := coalesce(last_sequence, 0);
    last_hash := coalesce(last_hash, decode(repeat('00', 32), 'hex'));
    IF NEW.sequence <> last_sequence + 1 OR NEW.previous_hash <> last_hash
        OR NEW.hash <> sha256(
            convert_to('{"event":', 'UTF8') || NEW.event || convert_to(
                ',"previous_hash":"' || encode(NEW.previous_hash, 'hex')
                || '","sequence":' || NEW.sequence || '}', 'UTF8'))
    THEN
        RAISE EXCEPTION 'the event does not follow the last one' USING ERRCODE = '2F002';
    END IF;
    RETURN NEW;
END
$$
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step forward. Its statements never change once released."""

    number: int
    what: str
    statements: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Return the hash under which the database remembers this step."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()


MIGRATIONS: Final = (
    Migration(1, "events", ("REVOKE ALL ON SCHEMA journal FROM PUBLIC", _EVENTS)),
    Migration(
        2,
        "nothing is changed or removed",
        (
            _REFUSE,
            _STAY,
            "ALTER TABLE journal.events ENABLE ALWAYS TRIGGER events_stay",
        ),
    ),
    Migration(
        3,
        "the server checks each link",
        (
            _FOLLOW,
            _EACH_FOLLOWS,
            "ALTER TABLE journal.events ENABLE ALWAYS TRIGGER events_follow",
        ),
    ),
)
LATEST: Final = MIGRATIONS[-1].number
_TRIGGERS: Final = {"events_stay", "events_follow"}


def migrate(connection: Connection, *, up_to: int = LATEST) -> int:
    """Bring the database up to migration `up_to`, as its owner; return the number reached.

    Raises:
        Fault: `journal_unreadable` when the database is newer, or was migrated otherwise.
        psycopg.Error: the role may not.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS journal")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS journal.migrations (number int PRIMARY KEY, what text NOT NULL,"
            " digest text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
        )
        reached = migrated_to(connection)
        for migration in MIGRATIONS[reached:up_to]:
            for statement in migration.statements:
                connection.execute(statement.encode())
            connection.execute(
                "INSERT INTO journal.migrations (number, what, digest) VALUES (%s, %s, %s)",
                (migration.number, migration.what, migration.digest),
            )
        return max(reached, up_to)


def migrated_to(connection: Connection) -> int:
    """Return the newest migration that the database has seen; 0 when none.

    Raises:
        Fault: `journal_unreadable` when one is unknown here, missing, or another than ours.
    """
    done = connection.execute("SELECT number, digest FROM journal.migrations ORDER BY number").fetchall()
    if done != [(step.number, step.digest) for step in MIGRATIONS[: len(done)]]:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            "the database's journal was laid out by another version of this program",
            fix="run the version that wrote it, or a newer one; a journal is never taken back",
        )
    return len(done)


def grant(connection: Connection, *, writer: str | None, reader: str | None) -> None:
    """Let `writer` read and insert, and `reader` read; take everything else from both.

    Raises:
        psycopg.Error: there is no such role, or this one may not grant.
    """
    from psycopg import sql

    for role, rights in ((writer, "SELECT, INSERT"), (reader, "SELECT")):
        if role is None:
            continue
        name = sql.Identifier(role)
        with connection.transaction():
            for statement in (
                "REVOKE ALL ON ALL TABLES IN SCHEMA journal FROM {}",
                "GRANT USAGE ON SCHEMA journal TO {}",
                f"GRANT {rights} ON journal.events TO {{}}",
                "GRANT SELECT ON journal.migrations TO {}",
            ):
                connection.execute(sql.SQL(statement).format(name))


def demand_ready(connection: Connection, *, is_read_only: bool) -> None:
    """Refuse a database that is not up to date, not durable, or not append-only for this role.

    Raises:
        Fault: `journal_unreadable` or `bad_config`.
    """
    reached = migrated_to(connection)
    if reached < LATEST:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"the database's journal is at migration {reached}, this version needs {LATEST}",
            fix="run `when-to-invest journal migrate` as the owner; the events stay as they are",
        )
    if not is_read_only:
        _demand_durable(connection)
        _demand_no_rights_beyond(connection)


def schema_problems(connection: Connection) -> list[str]:
    """Return what is wrong with the table's guards, though every event may check."""
    found = connection.execute(
        "SELECT tgname, tgenabled::text FROM pg_trigger"
        " WHERE tgrelid = 'journal.events'::regclass AND NOT tgisinternal"
    ).fetchall()
    guarding = {str(name) for name, state in found if state == "A"}
    return [f"the trigger {name} is missing or switched off" for name in sorted(_TRIGGERS - guarding)]


def _demand_durable(connection: Connection) -> None:
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] in {"off", "local"}:
            raise Fault(
                ErrorCode.BAD_CONFIG,
                f"the database server runs with {name} = {row[0] if row else 'nothing'}",
                fix=f"set {name} = on: an answer must survive a loss of power",
            )


def _demand_no_rights_beyond(connection: Connection) -> None:
    row = connection.execute(
        "SELECT has_table_privilege('journal.events', 'UPDATE, DELETE, TRUNCATE, TRIGGER'),"
        " has_schema_privilege('journal', 'CREATE')"
    ).fetchone()
    if row is None or any(row):
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "the role in ledger.url may change the journal, and must not",
            fix="name the writing role there; `when-to-invest journal migrate --writer ROLE` sets its rights",
        )
