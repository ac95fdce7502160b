"""With the queue down nothing starts that relies on it, and what was sealed waits and goes later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from home.clock import ReplayClock
from home.paths import Home
from home.settings import QueueKind, QueueSettings
from ledger.sqs_client import connect_sqs
from ledger.sqs_provision import provision_queue
from ledger.sqs_queue import SqsReceiver
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from tests.contracts.sqs_server import sqs_server
from tool_servers.orders.main import open_desk
from tool_servers.orders.proposal import Proposal
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import Side

pytestmark = [pytest.mark.flow, pytest.mark.timeout(120)]

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}
EVENING = datetime(2018, 6, 4, 21, 5, tzinfo=UTC)
PASSPHRASE = "only for tests"  # noqa: S105 - opens nothing but this home's throw-away key
NOBODY_LISTENS = "http://127.0.0.1:9"
"""Port 9 (discard) has no listener here: a connection is refused at once."""


def home_on(root: Path, url: str) -> Home:
    """Make a home whose queue is on SQS at `url`, with a sealing key and a replay clock."""
    home = Home(root).make()
    endpoint = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    home.config.write_text(f'[queue]\nkind = "sqs"\nurl = "{url}"\nendpoint_url = "{endpoint}"\n')
    ReplayClock(home.clock).move_to(EVENING)
    home.keys.mkdir(mode=0o700, exist_ok=True)
    create_keystore(
        home.keys / "seal.json", passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR
    )
    return home


def command(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home.root), **CREDENTIALS}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--home", str(home.root), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_up_refuses_with_one_clear_error_and_leaves_nothing_running(tmp_path: Path) -> None:
    home = home_on(tmp_path / "home", f"{NOBODY_LISTENS}/000000000000/orders.fifo")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE)
    passphrase.chmod(0o600)
    answer = command(home, "up", "--detach", "--passphrase-file", str(passphrase))
    assert answer.returncode == 3, answer.stderr
    error = json.loads(answer.stdout or answer.stderr)["error"]
    assert error["code"] == "queue_unavailable"
    assert error["retryable"] is True
    assert "queue.endpoint_url" in error["fix"]
    assert "Traceback" not in answer.stdout + answer.stderr
    assert json.loads(command(home, "ps").stdout)["services"] == []


def test_what_was_sealed_while_the_queue_was_down_waits_and_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("ledger.sqs_client.ATTEMPTS", 1)
    with sqs_server(tmp_path) as address:
        client = connect_sqs(QueueSettings(kind=QueueKind.SQS, endpoint_url=address))
        made = provision_queue(client, name="orders", visibility_s=5, max_receives=3)
        home = home_on(tmp_path / "home", made.url)
        signer = unlock_keystore(home.keys / "seal.json", passphrase=PASSPHRASE)
        desk = open_desk(home, signer=signer)
    answer = desk.propose(
        Proposal(
            instrument="SPX",
            side=Side.BUY,
            notional_usd=Decimal(4000),
            limit_price_usd=None,
            recommendation_id=None,
            request_id="r-1",
        ),
        caller="agent",
    )
    assert (answer.verdict, answer.state) == ("approved", "sealed")
    with pytest.raises(Fault) as caught:
        open_desk(home, signer=signer)
    assert caught.value.code is ErrorCode.QUEUE_UNAVAILABLE
    assert desk.relay() == 0
    with sqs_server(tmp_path, port=urlsplit(address).port or 0) as again:
        client = connect_sqs(QueueSettings(kind=QueueKind.SQS, endpoint_url=again))
        assert provision_queue(client, name="orders", visibility_s=5, max_receives=3) == made
        fresh = open_desk(home, signer=signer)
        assert fresh.get(answer.decision_id).state == "queued"
        (message,) = SqsReceiver(made.url, client, visibility_s=5).receive(max_messages=10, wait_s=0.0)
        assert message.deduplication_id == answer.decision_id
    for opened in (desk, fresh):
        opened.journal.close()
