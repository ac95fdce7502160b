"""How much is tried: seeded samples in `make test`, full size in `make prove`.

A test marked `proof` tries to break an invariant many times. With `--prove FILE` only
those run, at full size, and what each tried and found is written to FILE. `tests.proving` runs
them all, each in a process of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.provenance import commit, machine

settings.register_profile("ci", max_examples=40, derandomize=True, deadline=None, database=None)
settings.register_profile(
    "prove",
    max_examples=2_000,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
_EXAMPLES = re.compile(r"(\d+) passing, (\d+) failing")
_ROWS = pytest.StashKey[list[dict[str, object]]]()
_TRIED = pytest.StashKey[int]()


@dataclass
class Proof:
    """Hands out the seeds of one proof and counts them."""

    first_seed: int
    is_full_size: bool
    tried: int = 0

    def seeds(self, *, ci: int, full: int) -> Iterator[int]:
        """Yield `ci` seeds, or `full` of them under `--prove`; the same ones for the same start."""
        for seed in range(self.first_seed, self.first_seed + (full if self.is_full_size else ci)):
            self.tried += 1
            yield seed


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", metavar="FILE", help="run the proofs alone, at full size, and record them")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []
    settings.load_profile("prove" if config.getoption("--prove") else "ci")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--prove"):
        others = [item for item in items if item.get_closest_marker("proof") is None]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("proof")]


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Iterator[Proof]:
    handed = Proof(_first_seed(request.config), is_full_size=bool(request.config.getoption("--prove")))
    yield handed
    request.node.stash[_TRIED] = handed.tried


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call" and item.get_closest_marker("proof"):
        item.stash[_OUTCOME] = report
    if report.when == "teardown" and _OUTCOME in item.stash:
        item.config.stash[_ROWS].append(_row_of(item, item.stash[_OUTCOME]))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    target = session.config.getoption("--prove")
    if target and session.config.option.collectonly:
        rows = [{"proof": item.nodeid, "name": _name_of(item)} for item in session.items]
        Path(target).write_text(json.dumps(rows, indent=2) + "\n")
    elif target:
        origin = {"commit": commit(), "machine": machine()}
        rows = [{**row, **origin} for row in session.config.stash[_ROWS]]
        Path(target).write_text(json.dumps(rows, indent=2) + "\n")


_OUTCOME = pytest.StashKey[pytest.TestReport]()


def _first_seed(config: pytest.Config) -> int:
    return int(config.getoption("hypothesis_seed", None) or 0)


def _row_of(item: pytest.Item, report: pytest.TestReport) -> dict[str, object]:
    examples = _EXAMPLES.findall(getattr(item, "hypothesis_statistics", ""))
    tried = sum(int(passing) + int(failing) for passing, failing in examples)
    return {
        "proof": item.nodeid,
        "name": _name_of(item),
        "n": tried or item.stash.get(_TRIED, 1),
        "violations": 0 if report.passed else 1,
        "seed": _first_seed(item.config),
        "seconds": round(report.duration, 3),
        "target": "0 violations",
        "ok": report.passed,
    }


def _name_of(item: pytest.Item) -> str:
    """Return a test's name as words; a state machine's is the name of its class."""
    if item.name == "runTest" and item.parent:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", item.parent.name.removeprefix("Test")).lower()
    return item.name.removeprefix("test_").replace("_", " ")
