"""A killed agent goes on in a new process and repeats no proposal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphs.acting import LONGEST_REQUEST_ID, request_id_of

ROOT = Path(__file__).parents[2]


def live(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.graphs.crashing_agent", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=ROOT,
    )


def written(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.slow
def test_a_proposal_made_before_a_crash_is_not_made_again(tmp_path: Path) -> None:
    log = tmp_path / "orders.log"
    first = live(str(tmp_path / "home"), str(log), "die")
    assert first.returncode == 9, first.stderr
    before = written(log)
    assert len([line for line in before if "request_id" in line]) == 1

    second = live(str(tmp_path / "home"), str(log))
    assert second.returncode == 0, second.stderr
    assert written(log) == before, "neither a proposal nor a reading call was repeated"
    answer = json.loads(second.stdout)
    assert [order["state"] for order in answer["orders"]] == ["filled"]
    assert answer["standing"] == "clean"


def test_a_repeated_task_would_meet_its_own_first_proposal() -> None:
    assert request_id_of("t1", "e7-propose_order") == "t1:e7-propose_order"
    long = request_id_of("t" * 64, "toolu_" + "x" * 40)
    assert len(long) <= LONGEST_REQUEST_ID
    assert long == request_id_of("t" * 64, "toolu_" + "x" * 40)
    assert long != request_id_of("t" * 64, "toolu_" + "y" * 40)
