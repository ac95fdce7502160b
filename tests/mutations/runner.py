"""Runs mutants, each in a process of its own, and tells which ones the tests did not notice.

    python -m tests.mutations.runner [--sample N] [--seed S] [--out FILE] [PATH ...]

The parent imports what never changes; each child imports the mutated module in place of the
real one and runs the narrow tests until the first failure.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tests.mutations.mutants import Mutant, mutants
from tests.mutations.targets import ROOT, Target, targets

_NARROW = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
LONGEST_S = 120
"""A mutant that makes its tests run longer is as good as noticed."""


class MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module as its mutant."""

    def __init__(self, target: Target, mutant: Mutant) -> None:
        self._target = target
        self._mutant = mutant

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self._target.module:
            return None
        place = str(ROOT / self._target.path)
        return importlib.util.spec_from_file_location(name, place, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        code = compile(self._mutant.tree, str(ROOT / self._target.path), "exec")
        exec(code, module.__dict__)  # noqa: S102 - the module itself, with one change


def is_noticed(target: Target, mutant: Mutant) -> bool:
    """Return whether the target's tests fail with the mutant in place."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(target, mutant))
    _, status = os.waitpid(child, 0)
    return status != 0


def _tested(target: Target, mutant: Mutant) -> int:
    """Run the tests one file after another; return 0 when all of them pass."""
    import pytest

    signal.alarm(LONGEST_S)
    sys.meta_path.insert(0, MutantFinder(target, mutant))
    sink = io.StringIO()
    for test in target.tests:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            code = pytest.main([*_NARROW, str(ROOT / test)])
        if code != 0:
            return 1
    return 0


def _preload() -> None:
    """Import what no mutant touches, so that every child starts with it."""
    import eth_account
    import pydantic
    import pytest
    from hypothesis import Phase, settings

    del eth_account, pydantic, pytest
    load = settings.load_profile

    def load_without_shrinking(name: str) -> None:
        """Load a profile of the tests; the first failure is enough, the smallest is not wanted."""
        load(name)
        quick = settings(settings.get_profile(name), phases=(Phase.explicit, Phase.generate))
        settings.register_profile("mutants", quick)
        load("mutants")

    type.__setattr__(settings, "load_profile", staticmethod(load_without_shrinking))
    for name in [
        name for name in sys.modules if name.split(".")[0] in {"policies", "ledger", "when_to_invest"}
    ]:
        del sys.modules[name]


def survivors(chosen: Sequence[tuple[Target, Mutant]]) -> list[dict[str, object]]:
    """Return the mutants that no test noticed."""
    _preload()
    _demand_green(chosen)
    told = []
    for target, mutant in chosen:
        if not is_noticed(target, mutant):
            told.append({"path": target.path, "line": mutant.line, "what": mutant.what})
            _say(f"survived: {target.path}:{mutant.line} {mutant.what}")
    return told


def _demand_green(chosen: Sequence[tuple[Target, Mutant]]) -> None:
    """Refuse tests that fail on the real module: they would notice anything."""
    for target in {target for target, _ in chosen}:
        real = Mutant(0, "unchanged", ast.parse((ROOT / target.path).read_text()))
        if is_noticed(target, real):
            raise SystemExit(f"the tests of {target.path} fail without any mutant")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def all_mutants(paths: Sequence[str]) -> list[tuple[Target, Mutant]]:
    """Return every mutant of the named targets (all without a name)."""
    named = [target for target in targets() if not paths or target.path in paths]
    return [(target, mutant) for target in named for mutant in mutants((ROOT / target.path).read_text())]


def main(arguments: Sequence[str]) -> int:
    """Run a sample, or all; write what survived; return 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("paths", nargs="*")
    asked = parser.parse_args(arguments)
    chosen = all_mutants(asked.paths)
    if asked.sample is not None and asked.sample < len(chosen):
        chosen = random.Random(asked.seed).sample(chosen, asked.sample)  # noqa: S311 - a seeded choice
    survived = survivors(chosen)
    _say(f"{len(chosen) - len(survived)} of {len(chosen)} mutants noticed")
    if asked.out:
        asked.out.write_text(json.dumps({"mutants": len(chosen), "survived": survived}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
