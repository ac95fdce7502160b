"""Dead letters are answered through the operator's door, which the agent's token does not open."""

from __future__ import annotations

import pytest

from tests.tool_servers.bench import Bench
from tests.tool_servers.test_doors import TOKENS, Doors
from tests.tool_servers.test_redrive import arrive, dead
from tool_servers.access import OPERATOR

PATHS = ("/dead-letters/redrive", "/dead-letters/discard")


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("token", [None, "wrong", TOKENS["agent"]])
@pytest.mark.parametrize("path", PATHS)
def test_nobody_else_answers_a_letter(bench: Bench, token: str | None, path: str) -> None:
    desk = bench.desk()
    dead(bench, desk)
    events = bench.kinds()
    answer = Doors(desk).knock("POST", path, token=token, json={"message_id": "m-dead", "why": "x"})
    assert answer.status_code == 401
    assert bench.kinds() == events
    assert len(bench.queue.held) == 1


def test_the_operator_redrives_and_is_told_what_became_of_it(bench: Bench) -> None:
    desk = bench.desk()
    decision_id = dead(bench, desk)
    doors = Doors(desk)
    body = {"message_id": "m-dead", "why": "the executor was down"}
    answer = doors.knock("POST", PATHS[0], token=TOKENS[OPERATOR], json=body)
    assert answer.status_code == 200
    assert (answer.json()["decision_id"], answer.json()["state"]) == (decision_id, "queued")
    again = doors.knock("POST", PATHS[0], token=TOKENS[OPERATOR], json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (404, "unknown_message")


def test_the_operator_is_refused_with_a_way_out(bench: Bench) -> None:
    desk = bench.desk()
    arrive(bench, claimed=None)
    doors = Doors(desk)
    answer = doors.knock("POST", PATHS[0], token=TOKENS[OPERATOR], json={"message_id": "m-dead"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "redrive_refused")
    assert "dlq discard" in answer.json()["error"]["fix"]
    thrown = {"message_id": "m-dead", "why": "forged"}
    assert doors.knock("POST", PATHS[1], token=TOKENS[OPERATOR], json=thrown).status_code == 200


@pytest.mark.parametrize("body", [None, [], {}, {"message_id": 5}, {"message_id": "m", "force": True}])
@pytest.mark.parametrize("path", PATHS)
def test_an_unreadable_answer_changes_nothing(bench: Bench, path: str, body: object) -> None:
    desk = bench.desk()
    dead(bench, desk)
    events = bench.kinds()
    answer = Doors(desk).knock("POST", path, token=TOKENS[OPERATOR], json=body)
    assert answer.status_code == 400
    assert bench.kinds() == events
