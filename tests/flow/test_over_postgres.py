"""The same idea with the journal in a real PostgreSQL server: every process writes and reads it there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.demo.stage import EMBEDDED_QUEUE, Stage
from cli.demo.story import closes_after
from ledger.postgres_journal import open_postgres_journal
from ledger.postgres_link import PASSWORD_VARIABLE
from tests.ledger.postgres_server import PostgresServer, postgres_server
from when_to_invest.history import DecisionState
from when_to_invest.portfolio import fold

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

FIRST_EVENING = datetime(2017, 6, 29, 22, tzinfo=UTC)
PASSWORD = "test-secret-of-the-ledger"  # noqa: S105 - of a server that asks for none


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def url(server: PostgresServer) -> str:
    return server.url("writer", server.fresh())


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[Stage]:
    with Stage(
        tmp_path_factory.mktemp("home"),
        start_at=FIRST_EVENING,
        ack_delay_s=0.0,
        queue=f'{EMBEDDED_QUEUE}\n\n[ledger]\nurl = "{url}"',
        queue_credentials={PASSWORD_VARIABLE: PASSWORD},
    ) as running:
        yield running


def test_an_idea_walks_to_its_fill_and_the_state_is_in_the_events_alone(stage: Stage, url: str) -> None:
    answer = stage.ask("Go ahead: propose an order for SPX with 4,000 USD.")
    (decision_id,) = answer["decisions"]
    stage.wait_for_state(decision_id, DecisionState.WORKING)
    stage.clock.move_to(next(closes_after(stage, "SPX", FIRST_EVENING, count=1)))
    record = stage.wait_for_state(decision_id, DecisionState.FILLED)
    assert record.filled_quantity == record.authorised_quantity > 0
    assert not stage.home.journal.exists()
    journal = open_postgres_journal(url, stage.home.journal_elsewhere, is_read_only=True)
    book = fold(recorded.event for recorded in journal.read())
    journal.close()
    assert book.position("main", "SPX").quantity == record.filled_quantity
    assert stage.command("journal", "verify")["ok"] is True
    assert stage.command("doctor")["ok"] is True


def test_the_databases_password_reaches_two_services_and_no_file(stage: Stage) -> None:
    services = json.loads((stage.home.run / "services.json").read_text())
    pids = {name: service["pid"] for name, service in services.items()} | {"agent": stage.agent_pid()}
    holders = {
        name for name, pid in pids.items() if PASSWORD.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    }
    assert holders == {"orders", "executor"}
    files = [path for path in stage.home.root.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
