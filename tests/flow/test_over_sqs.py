"""The same idea over a real SQS-compatible server: only the gate sends, only the executor receives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands.dead_letters import letters_of
from cli.demo.onlooker import wait_for
from cli.demo.stage import Stage
from cli.demo.story import closes_after
from home.settings import QueueKind, QueueSettings, read_settings
from ledger.queue import OutgoingMessage
from ledger.sqs_client import connect_sqs
from ledger.sqs_provision import provision_queue
from ledger.sqs_queue import SqsSender
from ledger.verify import verify_journal
from tests.contracts.sqs_server import sqs_server
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

FIRST_EVENING = datetime(2017, 6, 29, 22, tzinfo=UTC)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret-of-the-queue"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        pytest.MonkeyPatch.context() as patch,
        sqs_server(tmp_path_factory.mktemp("sqs")) as address,
    ):
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        client = connect_sqs(QueueSettings(kind=QueueKind.SQS, endpoint_url=address))
        made = provision_queue(client, name="orders.fifo", visibility_s=5, max_receives=5)
        queue = f'kind = "sqs"\nurl = "{made.url}"\nendpoint_url = "{address}"\nvisibility_s = 5'
        with Stage(
            tmp_path_factory.mktemp("home"),
            start_at=FIRST_EVENING,
            ack_delay_s=0.0,
            queue=queue,
            queue_credentials=CREDENTIALS,
        ) as running:
            yield running


def test_an_idea_walks_over_sqs_to_its_fill(stage: Stage) -> None:
    answer = stage.ask("Go ahead: propose an order for SPX with 4,000 USD.")
    (decision_id,) = answer["decisions"]
    stage.wait_for_state(decision_id, DecisionState.WORKING)
    stage.clock.move_to(next(closes_after(stage, "SPX", FIRST_EVENING, count=1)))
    record = stage.wait_for_state(decision_id, DecisionState.FILLED)
    assert record.filled_quantity == record.authorised_quantity > 0
    assert verify_journal(stage.home.journal).ok


def test_a_message_nobody_can_read_dies_halts_its_group_and_is_answered(stage: Stage) -> None:
    settings = read_settings(stage.home).queue
    sender = SqsSender(settings.url, connect_sqs(settings))
    message_id = sender.send(OutgoingMessage("{", "main|paper|IXIC", "nobody's"))
    wait_for(lambda: letters_of(stage.home).letters.get(message_id), what="the letter to be journalled")
    (letter,) = stage.command("dlq", "list")["dead_letters"]
    assert (letter["message_id"], letter["halted"]) == (message_id, "instrument:IXIC")
    told = stage.command("dlq", "explain", message_id)
    assert (told["code"], told["decision"]) == ("unreadable_message", None)
    assert stage.command("status")["dead_letters"] == 1
    with pytest.raises(Fault) as refused:
        stage.command("dlq", "redrive", message_id)
    assert refused.value.code is ErrorCode.REDRIVE_REFUSED
    stage.command("dlq", "discard", message_id, "--why", "a drill")
    assert stage.command("dlq", "list")["dead_letters"] == []
    assert verify_journal(stage.home.journal).ok


def test_queue_credentials_reach_the_gate_and_the_executor_alone(stage: Stage) -> None:
    services = json.loads((stage.home.run / "services.json").read_text())
    pids = {name: service["pid"] for name, service in services.items()} | {"agent": stage.agent_pid()}
    secret = CREDENTIALS["AWS_SECRET_ACCESS_KEY"].encode()
    holders = {name for name, pid in pids.items() if secret in Path(f"/proc/{pid}/environ").read_bytes()}
    assert holders == {"orders", "executor"}
