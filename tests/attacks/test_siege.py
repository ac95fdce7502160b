"""The agent as the attacker, against every real server: nothing gets past, nothing honest is stopped."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from ledger.queue import OutgoingMessage
from ledger.sqlite_queue import SqliteQueue
from policies.limits import HARD_LIMITS
from signing.eip712 import typed_digest
from signing.keystore import KeystoreSigner
from tests.attacks.arsenal import LOOKALIKES, arguments
from tests.attacks.siege import ROBOTS, Siege, line_to
from tests.attacks.truth import breaches, read_truth
from tests.conftest import Proof
from when_to_invest import events as ev
from when_to_invest.callers import subject_mark
from when_to_invest.canonical import canonical_bytes
from when_to_invest.envelopes import Envelope, envelope_typed_data
from when_to_invest.errors import ErrorCode
from when_to_invest.history import DecisionState

pytestmark = [pytest.mark.flow, pytest.mark.timeout(1_800)]
SERVERS = ("market", "orders", "chain")
CODES = {code.value for code in ErrorCode}
ORDER = {"instrument": "SPX", "side": "buy", "notional_usd": "2000"}
MALLORY = KeystoreSigner(bytes(31) + b"\x66")


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    with Siege(tmp_path_factory.mktemp("siege")) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_got_past(siege: Siege) -> Iterator[None]:
    """After each wave the journal, the venue's books and the limits agree."""
    yield
    assert breaches(read_truth(siege.home)) == []
    assert siege.command("journal", "verify")["ok"]


@pytest.mark.proof
def test_no_honest_proposal_is_blocked(siege: Siege, proof: Proof) -> None:
    blocked: list[Any] = []
    with line_to(siege, "orders", siege.local_token("agent")) as agent:
        for seed in proof.seeds(ci=8, full=40):
            side = "sell" if seed % 4 == 3 else "buy"
            instrument = ("SPX", "IXIC")[seed // 4 % 2]
            asked = {
                "instrument": instrument,
                "side": side,
                "notional_usd": str(900 if side == "sell" else 2_500 + seed),
                "request_id": f"honest-{seed}",
            }
            told = agent.call("propose_order", asked)
            if told.get("verdict") != "approved":
                blocked.append((asked, told))
                continue
            siege.wait_for_state(told["decision_id"], DecisionState.WORKING)
            siege.next_day()
            siege.wait_for_state(told["decision_id"], DecisionState.FILLED, DecisionState.EXPIRED)
    assert blocked == []


@pytest.mark.proof
def test_no_call_of_any_tool_passes_a_limit(siege: Siege, proof: Proof) -> None:
    said: Counter[str] = Counter()
    with (
        line_to(siege, "market", siege.local_token("agent")) as market,
        line_to(siege, "chain", siege.local_token("agent")) as chain,
    ):
        robots = [stack_line(siege, number) for number in range(ROBOTS)]
        lines = {"market": market, "chain": chain}
        schemas = {name: line.tools() for name, line in lines.items()} | {"orders": robots[0].tools()}
        weights = [1, 6, 1]
        for seed in proof.seeds(ci=240, full=6_000):
            rng = random.Random(seed)  # noqa: S311 - a repeatable attack, no secret
            server = rng.choices(SERVERS, weights)[0]
            tool = rng.choice([name for name in schemas[server] if name != "run_backtest"])
            line = lines.get(server) or rng.choice(robots)
            told = line.call(tool, arguments(rng, schemas[server][tool]))
            error = told.get("error")
            said[error["code"] if isinstance(error, dict) else told.get("verdict", "answered")] += 1
            assert error is None or str(error["code"]) in CODES or isinstance(error["code"], int), told
        for robot in robots:
            robot.close()
    assert said["bad_argument"] > said.total() / 10
    assert said["internal"] == 0, said


def stack_line(siege: Siege, number: int) -> Any:
    from tests.attacks.siege import Line

    return Line(siege.urls["orders"], siege.robot_token("orders", number))


@pytest.mark.parametrize("name", LOOKALIKES, ids=ascii)
def test_a_lookalike_of_an_instrument_is_no_instrument(siege: Siege, name: str) -> None:
    with line_to(siege, "orders", siege.robot_token("orders", 0)) as robot:
        told = robot.call("propose_order", ORDER | {"instrument": name, "request_id": "lookalike"})
    assert told["error"]["code"] in {"unknown_instrument", "bad_argument"}


@dataclass
class Door:
    """A way to the operator's routes that an agent might try."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


DOORS = [
    Door(method, path, {"decision_id": "d-" + "0" * 24, "approver": "second-key"})
    for method, path in itertools.product(
        ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"),
        ("/approvals", "/declines", "/held", "//approvals", "/approvals/", "/mcp/../approvals", "/APPROVALS"),
    )
]


def test_the_operators_doors_stay_shut_for_every_token_but_its_own(siege: Siege) -> None:
    root = siege.urls["orders"].removesuffix("/mcp")
    tokens = [
        siege.local_token("agent"),
        siege.robot_token("orders", 1),
        siege.robot_token("orders", 1, scope="approvals operator admin *"),
        siege.robot_token("orders", 1, sub="operator"),
        siege.robot_token("market", 1),
        "none",
    ]
    before = len(read_truth(siege.home).events)
    for door, token in itertools.product(DOORS, tokens):
        answer = httpx2.request(
            door.method,
            root + door.path,
            json=door.body,
            headers={"authorization": f"Bearer {token}", "x-http-method-override": "POST"},
        )
        assert answer.status_code in {307, 400, 401, 403, 404, 405}, (door, answer.status_code)
    assert len(read_truth(siege.home).events) == before


def test_many_threads_and_many_small_orders_never_pass_the_limits_together(siege: Siege) -> None:
    siege.next_day()

    def spend(number: int) -> list[str]:
        verdicts = []
        with line_to(siege, "orders", siege.robot_token("orders", number)) as robot:
            for turn in range(6):
                asked = ORDER | {
                    "instrument": ("SPX", "IXIC")[turn % 2],
                    "notional_usd": str(9_000 + 10 * number + turn),
                    "request_id": f"race-{turn}",
                }
                verdicts.append(str(robot.call("propose_order", asked).get("verdict")))
        return verdicts

    with ThreadPoolExecutor(ROBOTS) as pool:
        said = Counter(verdict for told in pool.map(spend, range(ROBOTS)) for verdict in told)
    assert 0 < said["approved"] <= HARD_LIMITS.max_open_orders_usd / 9_000
    assert said["refused"] > said["approved"]


def test_a_replayed_request_is_the_same_decision_and_another_one_under_its_name_is_none(
    siege: Siege,
) -> None:
    siege.next_day()
    asked = ORDER | {"notional_usd": "600", "request_id": "replayed"}
    with line_to(siege, "orders", siege.robot_token("orders", 2)) as robot:
        first = robot.call("propose_order", asked)
        assert {robot.call("propose_order", asked)["decision_id"] for _ in range(5)} == {first["decision_id"]}
        larger = robot.call("propose_order", asked | {"notional_usd": "24000"})
        assert larger["error"]["code"] == "bad_argument"
    proposals = [
        event
        for event in read_truth(siege.home).events
        if isinstance(event, ev.IntentProposed) and event.intent.request_id == "replayed"
    ]
    assert len(proposals) == 1
    identity = proposals[0].identity
    assert identity is not None
    assert identity.subject == subject_mark(identity.issuer, "robot-2")


def test_stolen_forged_and_self_given_approvals_lift_nothing(siege: Siege) -> None:
    siege.next_day()
    with line_to(siege, "orders", siege.local_token("agent")) as agent:
        held = agent.call("propose_order", ORDER | {"notional_usd": "12000", "request_id": "held"})
    assert held["verdict"] == "held", held
    root = siege.urls["orders"].removesuffix("/mcp")
    operator = {"authorization": f"Bearer {siege.local_token('operator')}"}
    listed = httpx2.get(root + "/held", headers=operator).json()["held"]
    (hold,) = [each for each in listed if each["decision_id"] == held["decision_id"]]
    genuine = {
        "decision_id": held["decision_id"],
        "intent_hash": hold["typed_data"]["message"]["intentHash"].removeprefix("0x"),
        "mode": "replay",
        "approver": "second-key",
        "address": MALLORY.address,
        "expires_at": hold["hold_expires_at"],
        "signature": "0x" + "11" * 65,
    }
    for changes in (
        {},
        {"signature": MALLORY.sign_digest(bytes(32))},
        {"approver": "agent"},
        {"approver": "mallory"},
        {"expires_at": "2999-01-01T00:00:00Z"},
        {"decision_id": "d-" + "0" * 24},
        {"mode": "live"},
        {"bypass": True},
        {"signature": None},
    ):
        answer = httpx2.post(root + "/approvals", headers=operator, json=genuine | changes)
        assert 400 <= answer.status_code < 500, (changes, answer.text)
        assert answer.json()["error"]["code"] in CODES
    assert siege.record(held["decision_id"]).state is DecisionState.HELD


def test_envelopes_dropped_into_the_queue_file_move_nothing(siege: Siege) -> None:
    sealed = next(
        event.envelope
        for event in reversed(read_truth(siege.home).events)
        if isinstance(event, ev.EnvelopeSealed)
    )
    before = read_truth(siege.home).orders
    queue = SqliteQueue(siege.home.queue, visibility_s=30, max_receives=5)
    for number, body in enumerate(forgeries(sealed)):
        queue.send(OutgoingMessage(body=body, group=f"forged|{number}|SPX", deduplication_id=f"f-{number}"))
    siege.clock.move_to(siege.today + timedelta(seconds=30))
    siege.today += timedelta(seconds=30)
    settled(queue)
    queue.close()
    assert {name for name, _ in read_truth(siege.home).orders} >= {name for name, _ in before}
    refused = [event for event in read_truth(siege.home).events if isinstance(event, ev.MessageRefused)]
    assert refused


def forgeries(sealed: Envelope) -> list[str]:
    """Return edited, re-sealed, replayed and meaningless messages."""
    told = sealed.model_dump(mode="json")
    content = told["content"]
    tenfold = content | {"intent": content["intent"] | {"quantity": str(10 * sealed.content.intent.quantity)}}
    larger = Envelope.model_validate_json(json.dumps(told | {"content": tenfold}))
    own_seal = {
        "seal_address": MALLORY.address,
        "seal": MALLORY.sign_digest(typed_digest(envelope_typed_data(larger.content))),
    }
    edited = [
        told | {"content": tenfold},
        told | {"content": tenfold} | own_seal,
        told | own_seal,
        told | {"content": content | {"expires_at": "2999-01-01T00:00:00Z"}},
        told | {"content": content | {"decision_id": "d-" + "0" * 24}},
        told | {"content": content | {"mode": "live"}},
        told | {"seal": "0x" + "00" * 65},
        told | {"bypass": True},
        {},
        [],
    ]
    return [*(canonical_bytes(each).decode() for each in edited), "", "{", "[" * 50_000, "\u202e"]


def settled(queue: SqliteQueue) -> None:
    """Wait until the executor has dealt with every message."""
    from cli.demo.onlooker import wait_for

    wait_for(lambda: queue.is_empty() or None, what="the executor to deal with forged messages")


def test_no_secret_stands_in_what_was_written(siege: Siege) -> None:
    tokens = [siege.local_token(name) for name in ("agent", "operator")]
    tokens += [siege.robot_token("orders", number, iat=1)[-40:] for number in range(2)]
    written = b"".join(path.read_bytes() for path in siege.home.run.glob("*.log"))
    written += siege.home.journal.read_bytes()
    for secret in [*tokens, *siege.passphrases()]:
        assert secret.encode() not in written
    assert b"Traceback" not in written
