"""Runs seeds, in processes of their own where there are many, and tells what they met."""

from __future__ import annotations

import gc
import multiprocessing
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from unittest.mock import patch

from executor import judgement
from tests.executor.simulation.storm import Storm
from tests.executor.simulation.watch import ViolationError
from tests.executor.simulation.weather import PLACES, Bad
from tests.executor.simulation.world import recovered

_BATCH = 100
_COLLECTED_EVERY = 20


@dataclass
class Tally:
    """What some seeds met."""

    seeds: int = 0
    steps: int = 0
    events: int = 0
    checks: int = 0
    violations: dict[int, str] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    awaits: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)

    def take(self, storm: Storm) -> None:
        """Add one seed."""
        world = storm.world
        self.seeds += 1
        self.steps += world.loop.steps
        self.events += len(world.journal.recorded)
        self.checks += world.watch.checks
        if world.watch.violation is not None:
            self.violations[storm.seed] = str(world.watch.violation)
        self.happened += world.weather.happened
        self.deaths += world.deaths
        self.awaits += world.loop.awaits
        self.ends += world.ends

    def join(self, other: Tally) -> None:
        """Add what other seeds met."""
        self.seeds += other.seeds
        self.steps += other.steps
        self.events += other.events
        self.checks += other.checks
        self.violations |= other.violations
        self.happened += other.happened
        self.deaths += other.deaths
        self.awaits += other.awaits
        self.ends += other.ends

    def missed(self) -> list[str]:
        """Return every fault and place of death that never came."""
        faults = [bad.value for bad in Bad if not self.happened[bad.value]]
        return [*faults, *sorted(place for place in PLACES if not self.deaths[place])]

    def lines(self) -> Iterator[str]:
        """Yield what people want to know."""
        yield (
            f"{self.seeds} schedules: {self.steps} steps, {self.events} events, {self.checks} checks, "
            f"{sum(self.deaths[place] for place in PLACES)} deaths at {len(self.awaits)} of its awaits"
        )
        for title, counts in (("faults", self.happened), ("deaths", self.deaths), ("ends", self.ends)):
            yield f"{title}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common())
        if missed := self.missed():
            yield "never came: " + ", ".join(missed)
        for seed, what in sorted(self.violations.items()):
            yield f"VIOLATION: {what}\n  replay: {command(seed)}"


def command(seed: int) -> str:
    """Return what replays a seed with its trace."""
    return f"python -m tests.executor.simulation --seed {seed}"


@contextmanager
def quickly() -> Iterator[None]:
    """Recover each seal once, and leave the collector to whoever runs the seeds."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        with patch.object(judgement, "recover_address", recovered), warnings.catch_warnings():
            # What is killed between its making and its first step was never awaited.
            warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
            yield
    finally:
        if was_on:
            gc.enable()


def run_seed(seed: int) -> Storm:
    """Run one seed and return how it went; a violation is kept in its watch."""
    storm = Storm(seed)
    with quickly(), suppress(ViolationError):
        storm.run()
    return storm


def run_seeds(seeds: Sequence[int]) -> Tally:
    """Run seeds one after the other."""
    tally = Tally()
    gc.collect()
    gc.freeze()
    try:
        for number, seed in enumerate(seeds, start=1):
            tally.take(run_seed(seed))
            if number % _COLLECTED_EVERY == 0:
                gc.collect()
    finally:
        gc.unfreeze()
    return tally


def run_side_by_side(seeds: Sequence[int], *, workers: int) -> Tally:
    """Run seeds in so many processes."""
    batches = [seeds[start : start + _BATCH] for start in range(0, len(seeds), _BATCH)]
    tally = Tally()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for part in pool.map(run_seeds, batches):
            tally.join(part)
    return tally
