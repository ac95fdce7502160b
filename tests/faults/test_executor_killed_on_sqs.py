"""The real executor, killed between receive and delete on a real SQS server: exactly one fill."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from executor.main import run
from executor.probe import Point
from home.settings import QueueKind, QueueSettings
from ledger.sqs_client import connect_sqs
from ledger.sqs_provision import provision_queue
from ledger.sqs_queue import SqsReceiver, SqsSender, find_dead_letters
from tests.conftest import Proof
from tests.contracts.sqs_server import sqs_server
from tests.faults.homestead import NEXT_DAY, SCRIPT, VISIBILITY_S, Homestead
from when_to_invest.history import DecisionState

pytestmark = pytest.mark.slow

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_numbers = count(1)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with sqs_server(tmp_path_factory.mktemp("sqs")) as url:
            yield url


class CloudHomestead(Homestead):
    """A home whose envelopes travel over SQS."""

    def move_to_sqs(self, address: str) -> None:
        client: Any = connect_sqs(QueueSettings(kind=QueueKind.SQS, endpoint_url=address))
        made = provision_queue(
            client, name=f"killed-{next(_numbers)}", visibility_s=VISIBILITY_S, max_receives=50
        )
        self.configure(
            f'[queue]\nkind = "sqs"\nurl = "{made.url}"\nendpoint_url = "{address}"\n'
            f"visibility_s = {VISIBILITY_S}\nmax_receives = 50\n"
        )
        self.gate.sender = SqsSender(made.url, client)
        self.receiver = SqsReceiver(made.url, client, visibility_s=VISIBILITY_S)
        self.letters = find_dead_letters(made.url, client)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.root), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ.get("PATH", ""), **CREDENTIALS},
        )


def cloud_homestead(root: Path, address: str) -> CloudHomestead:
    homestead = CloudHomestead(root)
    homestead.move_to_sqs(address)
    return homestead


def assert_exactly_once(homestead: CloudHomestead) -> None:
    """One fill at the venue and one in the journal a decision, of exactly what was authorised."""
    fills = {fill.decision_id: fill for fill in homestead.fills()}
    assert len(homestead.fills()) == len(fills) == len(homestead.decision_ids)
    for decision_id in homestead.decision_ids:
        record = homestead.decision(decision_id)
        (trade,) = homestead.venue_trades(decision_id)
        assert record.state is DecisionState.FILLED
        assert trade.quantity == record.filled_quantity == record.authorised_quantity
    assert homestead.receiver.is_empty()
    assert homestead.letters.look(max_messages=10) == ()
    assert homestead.journal_is_sound()


def finish(homestead: CloudHomestead) -> None:
    assert run(homestead.home, until_idle=True) == 0
    homestead.clock.move_to(NEXT_DAY)
    assert run(homestead.home, until_idle=True) == 0


@pytest.mark.parametrize("point", [Point.RECEIVED, Point.SUBMITTED, Point.BEFORE_DELETE])
def test_a_kill_between_receive_and_delete_ends_in_exactly_one_fill(
    tmp_path: Path, address: str, point: Point
) -> None:
    homestead = cloud_homestead(tmp_path / "home", address)
    homestead.propose()
    killed = homestead.run(point.value)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not homestead.receiver.is_empty()
    finish(homestead)
    assert_exactly_once(homestead)
    homestead.close()


@pytest.mark.proof
def test_kills_at_any_point_in_a_row_end_in_exactly_one_fill_each(
    proof: Proof, tmp_path: Path, address: str
) -> None:
    points = [point for point in Point if point.value not in {"filled_at_venue", "fill_recorded"}]
    for seed in proof.seeds(ci=1, full=30):
        dice = random.Random(seed)  # noqa: S311 - a schedule of kills, no secret
        homestead = cloud_homestead(tmp_path / str(seed), address)
        for number in (1, 2):
            homestead.propose(number)
        for point in dice.sample(points, k=3):
            homestead.run(point.value)
        finish(homestead)
        assert_exactly_once(homestead)
        homestead.close()
