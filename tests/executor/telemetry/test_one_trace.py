"""One trace from the proposal to the venue, through two real processes and the queue between them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from home.clock import ReplayClock
from home.paths import Home
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore
from tests.executor.telemetry.collector import Collector, Exported, collecting
from tests.faults.homestead import EVENING, PASSPHRASE

ROOT = Path(__file__).parents[3]
PROPOSING = Path(__file__).with_name("proposing_process.py")
EXECUTOR = ROOT / "tests" / "faults" / "killed_executor.py"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").make()
    ReplayClock(home.clock).move_to(EVENING)
    home.keys.mkdir(mode=0o700)
    create_keystore(
        home.keys / "seal.json", passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR
    )
    return home


def ran(script: Path, *arguments: str, environment: dict[str, str]) -> str:
    ended = subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environment,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def walked(home: Home, environment: dict[str, str]) -> str:
    """Propose in one process and execute in another; return the decision's id."""
    decision_id = ran(PROPOSING, str(home.root), PASSPHRASE, environment=environment)
    ran(EXECUTOR, str(home.root), environment=environment)
    return decision_id


def way_up(spans: dict[str, Exported], name: str) -> list[str]:
    """Return the names from a span up to its root."""
    by_id = {span.span_id: span for span in spans.values()}
    found, span = [], spans.get(name)
    while span is not None:
        found.append(span.name)
        span = by_id.get(span.parent_id)
    return found


@pytest.mark.slow
def test_one_trace_shows_the_whole_way(home: Home) -> None:
    with collecting() as collector:
        decision_id = walked(home, collector.environment)
    spans = {span.name: span for span in collector.spans}
    assert way_up(spans, "venue.submit") == ["venue.submit", "executor.handle", "queue.send", "propose"]
    assert way_up(spans, "executor.judge") == ["executor.judge", "executor.handle", "queue.send", "propose"]
    assert way_up(spans, "gate") == ["gate", "propose"]
    assert len({span.trace_id for span in spans.values()}) == 1
    assert {span.service for span in spans.values()} == {"when-to-invest-orders", "when-to-invest-executor"}
    assert spans["venue.submit"].attributes == {"decision_id": decision_id}
    _assert_nothing_secret(collector)


def _assert_nothing_secret(collector: Collector) -> None:
    keys = {key for span in collector.spans for key in span.attributes}
    assert keys == {"decision_id"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}],
)
def test_an_untraced_walk_does_the_same(home: Home, environment: dict[str, str]) -> None:
    assert walked(home, environment).startswith("d-")


@pytest.mark.slow
def test_a_collector_that_is_gone_changes_nothing(home: Home) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    assert walked(home, environment).startswith("d-")
