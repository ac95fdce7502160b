"""Judges mutants within one run of pytest: collects once, forks once a mutant.

First the tests run as they are, and what each calls is noted; a module whose tests fail is not
judged. Then every mutant's function is swapped in a fork of the collected run, and only the tests
that call it run, the likeliest to notice first, until one fails or patience ends. A mutant of code
that also runs while modules are imported gets a second chance in a fresh interpreter before it counts
as a survivor. At the end each test that noticed anything runs once more alone, without a mutant, and
must pass.
"""

from __future__ import annotations

import gc
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType
from typing import Any

import pytest

from tests.mutations.afresh import NOTICED
from tests.mutations.calls import called_at_import, note_calls
from tests.mutations.children import Ended, Work, allow_cpu, run_all
from tests.mutations.mutants import Mutant, mutated
from tests.mutations.swapping import Place, cached_functions, code_of, loaded_functions
from tests.mutations.targets import ROOT, Target

Job = tuple[Target, Mutant]
LONG_S = 5.0
"""CPU seconds that a test may use beyond several times what it usually takes, before its mutant counts
as one that never comes to an end."""
_LONG_AFRESH_S = 300.0
_BASELINE_S = 1_800.0
_ALONE_S = 300.0
PATIENCE_S = 8.0
"""Tests that usually take this many CPU seconds together may try to notice a mutant."""
AFRESH = "a fresh import"
_UNSWAPPABLE = "unswappable"
_BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Usual:
    """What a test does without a mutant: whether it passes, its CPU seconds, whom it calls."""

    passes: bool
    cpu_s: float
    calls: frozenset[Place]


@dataclass
class Judging:
    """The plugin: what to judge, who noticed it before, who is told what notices it now, and who of
    tests that also fail alone."""

    jobs: Sequence[Job]
    hints: Mapping[Job, str]
    tell: Callable[[Job, str | None], None]
    doubt: Callable[[str], None]
    say: Callable[[str], None]
    at_once: int = 2
    _items: dict[str, pytest.Item] = field(default_factory=dict)
    _usual: dict[str, Usual] = field(default_factory=dict)
    _functions: dict[Place, list[FunctionType]] = field(default_factory=dict)
    _cached: list[Any] = field(default_factory=list)
    _lately: dict[Place, list[str]] = field(default_factory=dict)

    def pytest_collection(self) -> None:
        """Want only the first failure of a property: nobody reads the smallest one."""
        from hypothesis import Phase, settings

        quick = settings(settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate))
        settings.register_profile("mutants", quick)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        _forget_wall_clock(session.config)
        self._items = {item.nodeid: item for item in session.items}
        paths = frozenset(target.path for target, _ in self.jobs)
        self._functions, self._cached = loaded_functions(paths), cached_functions(paths)
        gc.collect()
        gc.freeze()  # so that a child's collector leaves the shared pages alone
        self._measure()
        broken = {path for usual in self._usual.values() if not usual.passes for path, _ in usual.calls}
        for path in sorted(paths & broken):
            self.say(f"not judged: tests of {path} fail without any mutant")
        self._judge([job for job in self.jobs if job[0].path not in broken])
        return True

    def _measure(self) -> None:
        """Run every test as it is."""
        names = list(self._items)
        shares = [names[at :: self.at_once] for at in range(self.at_once)]
        works = (Work(share, partial(self._usually, share), _BASELINE_S) for share in shares)
        for ended in run_all(works, at_once=self.at_once):
            if ended.answer is None:
                raise SystemExit(f"the tests did not come to an end without any mutant: {ended.how}")
            for name, (passes, cpu_s, calls) in ended.answer.items():
                self._usual[name] = Usual(passes, cpu_s, frozenset((path, line) for path, line in calls))
        for name, usual in self._usual.items():
            if not usual.passes:
                self.say(f"fails without any mutant: {name}")
        self.say(f"{len(self._usual)} tests ran without any mutant")

    def _usually(self, names: Sequence[str]) -> dict[str, tuple[bool, float, list[Place]]]:
        seen = note_calls(self._functions, dict.fromkeys(target for target, _ in self.jobs))
        found = {}
        for name in names:
            seen.clear()
            before = time.process_time()
            failed = _first_failure([self._items[name]])
            found[name] = (failed is None, time.process_time() - before, sorted(seen))
        return found

    def _judge(self, jobs: Sequence[Job]) -> None:
        at_import = called_at_import(dict.fromkeys(target for target, _ in jobs))
        again: list[Job] = []
        noticed_by: set[str] = set()
        for ended in run_all((self._swapped(job) for job in jobs), at_once=self.at_once):
            by = self._noticed_by(ended)
            if by == _UNSWAPPABLE or (by is None and _place(ended.work.name) in at_import):
                again.append(ended.work.name)
            else:
                self.tell(ended.work.name, by)
                noticed_by |= {by} & self._items.keys()
        for ended in run_all((_afresh(job) for job in again), at_once=self.at_once):
            self.tell(ended.work.name, self._noticed_by(ended))
        self._doubt_those_that_fail_alone(noticed_by)

    def _swapped(self, job: Job) -> Work:
        target, mutant = job
        functions = self._functions.get(_place(job), [])
        code = code_of(mutated(target.source, mutant), target, mutant)
        tests = self._likely(job)
        allowed_s = {test: LONG_S + 3 * self._usual[test].cpu_s for test in tests}

        def notice() -> str | None:
            try:
                for each in functions:
                    each.__code__ = code
                for each in self._cached:
                    each.cache_clear()
            except ValueError:  # it closes over other names than before
                return _UNSWAPPABLE
            return _first_failure([self._items[test] for test in tests], allowed_s)

        return Work(job, notice, LONG_S + sum(allowed_s.values()))

    def _likely(self, job: Job) -> list[str]:
        """Return the tests that call the mutant's function, the likeliest to notice it first."""
        place = _place(job)
        first = [self.hints.get(job, ""), *reversed(self._lately.get(place, []))]
        own = f"/test_{job[0].path.rpartition('/')[2].removesuffix('.py')}"

        def rank(name: str) -> tuple[int, bool, float]:
            at = first.index(name) if name in first else len(first)
            return at, own not in name, self._usual[name].cpu_s

        callers = sorted((name for name, usual in self._usual.items() if place in usual.calls), key=rank)
        spent = itertools.accumulate(self._usual[name].cpu_s for name in callers)
        return [
            name for name, cpu_s in zip(callers, spent, strict=True) if cpu_s <= PATIENCE_S or name in first
        ]

    def _noticed_by(self, ended: Ended) -> str | None:
        if ended.how == "stuck":
            target, mutant = ended.work.name
            self.say(f"waits for ever: {target.path}:{mutant.line} {mutant.name}")
            return None
        by: str | None = ended.answer if ended.how == "answered" else ended.how
        if by == _BROKEN:
            raise SystemExit(f"could not judge afresh: {ended.work.name[1].name}")
        if by in self._items:
            lately = self._lately.setdefault(_place(ended.work.name), [])
            if by not in lately:
                lately.append(by)
        return by

    def _doubt_those_that_fail_alone(self, names: set[str]) -> None:
        alone = (
            Work(name, lambda name=name: _first_failure([self._items[name]]), _ALONE_S) for name in names
        )
        for ended in run_all(alone, at_once=self.at_once):
            if ended.how != "answered" or ended.answer is not None:
                self.doubt(ended.work.name)


def _place(job: Job) -> Place:
    target, mutant = job
    return target.path, mutant.first_line


def _first_failure(items: Sequence[pytest.Item], allowed_s: Mapping[str, float] | None = None) -> str | None:
    """Run the tests one after another, each within its CPU seconds; return the first that fails."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        if allowed_s is not None:
            allow_cpu(allowed_s[item.nodeid])
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            item.session.testsfailed = 0
            return item.nodeid
    return None


def _forget_wall_clock(config: pytest.Config) -> None:
    """Let no test fail for being slow: other work on the machine may have made it so."""
    plugin = config.pluginmanager.get_plugin("timeout")
    if plugin is not None:
        config.pluginmanager.unregister(plugin)


def _afresh(job: Job) -> Work:
    """Return the work of importing the mutant in place of its module and running all its tests."""
    target, mutant = job
    asked = [sys.executable, "-m", "tests.mutations.afresh", target.path, mutant.name, *target.tests]

    def notice() -> str | None:
        ran = subprocess.run(asked, check=False, cwd=ROOT, stdout=subprocess.DEVNULL)
        if ran.returncode in {NOTICED, -signal.SIGXCPU}:
            return AFRESH
        return None if ran.returncode == 0 else _BROKEN

    return Work(job, notice, _LONG_AFRESH_S)
