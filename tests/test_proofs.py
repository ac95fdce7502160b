"""`make prove` records what each proof tried and found, and a violated one fails the run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROOFS = """
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

class Machine(RuleBasedStateMachine):
    @rule()
    def step(self):
        pass

Machine.TestCase.settings = settings(max_examples=5, stateful_step_count=2)
TestQuietMachine = pytest.mark.proof(Machine.TestCase)

@pytest.mark.proof
@given(st.integers())
def test_a_property_that_holds(number):
    assert number == number

@pytest.mark.proof
def test_seeds_that_hold(proof):
    assert sum(1 for seed in proof.seeds(ci=3, full=30)) == (30 if proof.is_full_size else 3)

@pytest.mark.proof
def test_an_invariant_that_breaks(proof):
    for seed in proof.seeds(ci=10, full=10):
        assert seed < 9

def test_something_else():
    raise RuntimeError("this is no proof and must not run")
"""
NAMES = {"quiet machine", "a property that holds", "seeds that hold", "an invariant that breaks"}


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, dict[str, Any]]]:
    return _proven(tmp_path_factory.mktemp("proofs"))


def _proven(folder: Path, *asked: str) -> tuple[int, dict[str, dict[str, Any]]]:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder / "conftest.py")
    (folder / "test_proofs.py").write_text(PROOFS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = proof\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--prove", "prove.json", "--hypothesis-seed=5", *asked],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=100,
    )
    rows = json.loads((folder / "prove.json").read_text())
    return run.returncode, {row["name"]: row for row in rows}


def test_only_the_proofs_run(proven: tuple[int, dict[str, dict[str, Any]]]) -> None:
    _, rows = proven
    assert set(rows) == NAMES


def test_collecting_writes_down_what_would_run_and_runs_nothing(tmp_path: Path) -> None:
    status, rows = _proven(tmp_path, "--collect-only")
    assert status == 0
    assert set(rows) == NAMES
    assert rows["quiet machine"] == {
        "proof": "test_proofs.py::TestQuietMachine::runTest",
        "name": "quiet machine",
    }


def test_a_violation_fails_the_run_and_its_row(proven: tuple[int, dict[str, dict[str, Any]]]) -> None:
    status, rows = proven
    assert status == 1
    assert {name: (row["violations"], row["ok"]) for name, row in rows.items()} == {
        "quiet machine": (0, True),
        "a property that holds": (0, True),
        "seeds that hold": (0, True),
        "an invariant that breaks": (1, False),
    }


def test_the_number_of_trials_is_counted_not_declared(proven: tuple[int, dict[str, dict[str, Any]]]) -> None:
    _, rows = proven
    assert rows["a property that holds"]["n"] > 100
    assert rows["seeds that hold"]["n"] == 30


def test_a_broken_proof_counts_the_trials_until_it_broke(
    proven: tuple[int, dict[str, dict[str, Any]]],
) -> None:
    _, rows = proven
    assert rows["an invariant that breaks"]["n"] == 9 - 5 + 1


def test_every_row_says_where_it_comes_from(proven: tuple[int, dict[str, dict[str, Any]]]) -> None:
    _, rows = proven
    keys = {"proof", "name", "n", "violations", "seed", "seconds", "target", "ok", "commit", "machine"}
    assert all(set(row) == keys and row["seed"] == 5 for row in rows.values())
