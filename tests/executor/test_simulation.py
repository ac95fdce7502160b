"""Many seeded schedules of crashes, duplicates, reordering and lost answers keep every invariant."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import Proof
from tests.executor.simulator import Simulation

STEPS = 60


def simulated(seed: int) -> Simulation:
    """Run one seed; a failure prints how to replay it."""
    simulation = Simulation(seed)
    try:
        simulation.run(STEPS)
    except BaseException:
        sys.stderr.write("\n  ".join([f"seed {seed}:", *simulation.trace]) + "\n")
        raise
    return simulation


@pytest.mark.proof
def test_no_schedule_of_crashes_breaks_an_invariant_of_the_executor(proof: Proof) -> None:
    deaths: set[str] = set()
    for seed in proof.seeds(ci=30, full=3000):
        deaths |= set(simulated(seed).doom.deaths)
    assert len(deaths) >= 10, deaths


def test_the_same_seed_writes_the_same_journal() -> None:
    heads = {simulated(17).world.journal.head() for _ in range(2)}
    assert len(heads) == 1
