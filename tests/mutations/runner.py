"""Runs the mutants of modules that changed, or whose tests did, and keeps what was found.

    python -m tests.mutations.runner [--sample N] [--seed S] [--out FILE] [--again] [PATH ...]

Without paths, all targets. A module whose code and tests are as they were judged is not judged again
unless `--again` asks for it. A sample is judged whatever is known, and nothing of it is kept.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.ledger.postgres_server import server_for_all_tests
from tests.mutations.afresh import QUIETLY, selection
from tests.mutations.judging import Job, Judging
from tests.mutations.kept import Judged, Memory, keep, load
from tests.mutations.mutants import mutants
from tests.mutations.targets import Target, code_hash, hash_of_tests, targets


class Run:
    """One run: what is asked, what is known, what was found."""

    def __init__(self, chosen: Sequence[Target], *, again: bool) -> None:
        self.chosen = chosen
        self.stamps = {each.path: (code_hash(each.source), hash_of_tests(each)) for each in chosen}
        self.memory = Memory()
        self.found: dict[Job, str | None] = {}
        self._again = again

    def jobs(self) -> list[Job]:
        """Return the mutants nothing is known of, module by module."""
        known = load()
        changed = [each for each in self.chosen if self._again or not self._is_known(known, each)]
        jobs = [(each, mutant) for each in changed for mutant in mutants(each.source)]
        if not self._again:
            self._remember(jobs)
        return [job for job in jobs if job not in self.found]

    def _remember(self, jobs: Sequence[Job]) -> None:
        """Take up what an interrupted run saw noticed of the same code by the same tests."""
        for target, mutant in jobs:
            told = self.memory.verdicts(target.path, self.stamps[target.path])
            if told.get(mutant.name) is not None:
                self.found[(target, mutant)] = told[mutant.name]

    def judge(self, jobs: Sequence[Job]) -> None:
        """Let the tests of the jobs' modules judge them: all on one PostgreSQL server, or all without."""
        hints = {}
        for target in dict.fromkeys(target for target, _ in jobs):
            told = self.memory.hints(target.path, self.stamps[target.path][0])
            hints |= {job: told[job[1].name] for job in jobs if job[0] == target and job[1].name in told}
        plugin = Judging(jobs, hints=hints, tell=self._take, doubt=self._doubt, say=say)
        tests = dict.fromkeys(test for target, _ in jobs for test in target.tests)
        (is_on_server,) = {target.is_on_server for target, _ in jobs}
        with server_for_all_tests() if is_on_server else nullcontext():
            code = pytest.main([*QUIETLY, *selection(is_on_server=is_on_server), *tests], plugins=[plugin])
        if code != pytest.ExitCode.OK:
            raise SystemExit(f"the tests could not be collected: pytest ended with {code}")

    def keep(self) -> None:
        """Keep what is known of the modules that are whole and still as they were."""
        known = load()
        for target in self.chosen:
            if self.stamps[target.path] == (code_hash(target.source), hash_of_tests(target)):
                known |= self._whole(target)
        keep(known)
        self.memory.save()

    def survived(self) -> list[Job]:
        return [job for job, by in self.found.items() if by is None]

    def _is_known(self, known: dict[str, Judged], target: Target) -> bool:
        judged = known.get(target.path)
        return judged is not None and (judged.code, judged.tests) == self.stamps[target.path]

    def _whole(self, target: Target) -> dict[str, Judged]:
        told = {mutant.name: by for (each, mutant), by in self.found.items() if each == target}
        names = [mutant.name for mutant in mutants(target.source)]
        if not names or set(names) != set(told):
            return {}
        survived = tuple(name for name in names if told[name] is None)
        return {target.path: Judged(*self.stamps[target.path], len(names), survived)}

    def _take(self, job: Job, by: str | None) -> None:
        target, mutant = job
        self.found[job] = by
        self.memory.verdicts(target.path, self.stamps[target.path])[mutant.name] = by
        if by is None:
            say(f"survived: {target.path}:{mutant.line} {mutant.name}")
        if len(self.found) % 50 == 0:
            say(f"{len(self.found)} mutants judged")
            self.memory.save()

    def _doubt(self, name: str) -> None:
        """Forget what a test noticed that also fails alone without any mutant."""
        say(f"does not count, fails alone: {name}")
        for job in [job for job, by in self.found.items() if by == name]:
            target, mutant = job
            del self.found[job]
            del self.memory.verdicts(target.path, self.stamps[target.path])[mutant.name]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Judge a sample, or what changed; write what survived; return 0."""
    parser = argparse.ArgumentParser(description="judge mutants of the gate and the journal")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("paths", nargs="*")
    asked = parser.parse_args(arguments)
    chosen = [target for target in targets() if not asked.paths or target.path in asked.paths]
    run = Run(chosen, again=asked.again or asked.sample is not None)
    jobs = run.jobs()
    if asked.sample is not None:
        jobs = random.Random(asked.seed).sample(jobs, min(asked.sample, len(jobs)))  # noqa: S311 - seeded
    for is_on_server in (False, True):
        if batch := [job for job in jobs if job[0].is_on_server is is_on_server]:
            run.judge(batch)
    if asked.sample is None:
        run.keep()
    survived = [{"path": t.path, "line": m.line, "what": m.name} for t, m in run.survived()]
    say(f"{len(run.found) - len(survived)} of {len(run.found)} mutants noticed")
    if asked.out:
        asked.out.write_text(json.dumps({"mutants": len(run.found), "survived": survived}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
