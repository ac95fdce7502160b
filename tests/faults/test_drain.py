"""Told to stop, an executor takes nothing more, says so first, and finishes what is in hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.health_check import FILE, told
from executor.serving import DRAIN_S
from tests.faults.homestead import Homestead
from when_to_invest.orders import OrderState

ROOT = Path(__file__).parents[2]
ANSWERS_AFTER_S = 3.0
WITHIN_S = 30.0


@pytest.fixture
def homestead(tmp_path: Path) -> Iterator[Homestead]:
    homestead = Homestead(tmp_path / "home", f"[paper]\nack_delay_s = {ANSWERS_AFTER_S}\n")
    yield homestead
    homestead.close()


def waited(is_so: Callable[[], bool]) -> bool:
    patience, ends_at_s = threading.Event(), time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > ends_at_s:
            return False
        patience.wait(0.02)
    return True


def states(homestead: Homestead, decision_id: str) -> list[OrderState]:
    return [order.state for order in homestead.decision(decision_id).orders.values()]


@pytest.mark.slow
def test_sigterm_turns_readiness_red_and_the_order_in_flight_is_recorded(
    homestead: Homestead, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "WHEN_TO_INVEST_HOME": str(homestead.root),
    }
    with (tmp_path / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "executor"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            assert waited(lambda: told(homestead.home.run)[0])
            first = homestead.propose(1)
            assert waited(lambda: states(homestead, first) == [OrderState.SEND_INTENDED])
            process.send_signal(signal.SIGTERM)
            stopping_at_s = time.monotonic()
            later = homestead.propose(2)
            assert waited(lambda: not told(homestead.home.run)[0])
            is_alive = process.poll() is None
            is_ready, says = told(homestead.home.run)
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()
            process.wait()
    assert is_alive
    assert not is_ready
    assert says["checks"]["serving"] == "stopping"  # type: ignore[index]
    assert time.monotonic() - stopping_at_s < DRAIN_S
    assert states(homestead, first) == [OrderState.ACKNOWLEDGED]
    assert states(homestead, later) == []
    assert not homestead.queue.is_empty()
    assert not (homestead.home.run / FILE).exists()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["event"] for line in lines][-1] == "stopped"
    assert {"process", "event"} <= set(lines[0])
