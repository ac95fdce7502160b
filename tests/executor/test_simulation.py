"""Seeded schedules of crashes, lost answers and rivals keep every invariant of the executor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.executor.simulation.broken import BREAKS, OFTEN_NOTICED, broken
from tests.executor.simulation.runner import Tally, run_seed, run_seeds, run_side_by_side

ROOT = Path(__file__).resolve().parents[2]
CORES = 2


def told(tally: Tally) -> str:
    return "\n".join(tally.lines())


def first_noticed(name: str, seeds: Iterable[int]) -> str | None:
    """Return the first violation that an executor broken in one way brings about."""
    with broken(name):
        found = (run_seed(seed).world.watch.violation for seed in seeds)
        return next((str(violation) for violation in found if violation is not None), None)


@pytest.mark.proof
def test_no_schedule_of_crashes_and_faults_breaks_an_invariant_of_the_executor(proof: Proof) -> None:
    seeds = list(proof.seeds(ci=50, full=10_000))
    tally = run_side_by_side(seeds, workers=CORES) if proof.is_full_size else run_seeds(seeds)
    sys.stdout.write(told(tally) + "\n")
    assert not tally.violations, told(tally)
    if proof.is_full_size:
        assert not tally.missed(), told(tally)


@pytest.mark.parametrize("name", OFTEN_NOTICED)
def test_a_broken_executor_is_noticed(name: str) -> None:
    assert first_noticed(name, range(100)) is not None


@pytest.mark.proof
@pytest.mark.parametrize("name", BREAKS)
def test_every_broken_executor_is_noticed(proof: Proof, name: str) -> None:
    if not proof.is_full_size:
        pytest.skip("some take hundreds of seeds; those that do not are tried in every run")
    assert first_noticed(name, proof.seeds(ci=0, full=2_000)) is not None


def test_the_same_seed_takes_the_same_course() -> None:
    assert run_seed(17).world.trace == run_seed(17).world.trace


def test_the_same_seed_takes_the_same_course_in_every_process() -> None:
    seeds = ("3", "11", "17", "29")
    command = (sys.executable, "-m", "tests.executor.simulation", "--digest", "--seed", *seeds)
    digests = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    here = "".join(f"{seed} {run_seed(int(seed)).digest()}\n" for seed in seeds)
    assert digests == {here}


def test_a_seed_that_fails_says_how_to_replay_it() -> None:
    tally = Tally(violations={5: "an order was sent twice"})
    assert "python -m tests.executor.simulation --seed 5" in told(tally)
