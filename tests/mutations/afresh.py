"""Runs the tests of one mutant with the mutated module imported in place of the real one.

    python -m tests.mutations.afresh PATH MUTANT TEST...

The exit status is 0 when nobody noticed and `NOTICED` when a test failed.
"""

from __future__ import annotations

import sys

import pytest

from tests.mutations.mutants import mutants, mutated
from tests.mutations.swapping import MutantFinder
from tests.mutations.targets import targets

QUIETLY = ("-q", "-s", "-p", "no:cacheprovider", "--no-header", "--no-summary")
_SELECTION = ("-m", "not slow and not flow", "-k")
NOTICED = 70
_FAILED = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR)
"""What pytest says of a failed test, and of a test file or its conftest that could not be imported."""


def selection(*, is_on_server: bool) -> tuple[str, ...]:
    """Return what selects the tests that may judge: those on a PostgreSQL server, or all others."""
    return (*_SELECTION, "postgres" if is_on_server else "not postgres")


def main(path: str, name: str, tests: list[str]) -> int:
    """Run `tests` until one fails."""
    target = next(each for each in targets() if each.path == path)
    mutant = next(each for each in mutants(target.source) if each.name == name)
    sys.meta_path.insert(0, MutantFinder(target, mutated(target.source, mutant)))
    selected = selection(is_on_server=target.is_on_server)
    code = pytest.main([*QUIETLY, *selected, "-x", "--timeout=0", *tests])
    if code not in {pytest.ExitCode.OK, *_FAILED}:
        raise SystemExit(f"pytest ended with {code}")
    return 0 if code == pytest.ExitCode.OK else NOTICED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
