"""One executor a home, for exactly as long as it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.lease import LOCK_NAME, sole_executor
from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault

MANY_FILES = 1_024


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def also_open(path: Path) -> int:
    """Return a second descriptor of what this process has open at `path`, as a fork has one."""
    known = path.stat()
    for descriptor in range(MANY_FILES):
        try:
            found = os.fstat(descriptor)
        except OSError:
            continue
        if os.path.samestat(found, known):
            return os.dup(descriptor)
    raise AssertionError(f"{path} is not open")


def test_a_second_executor_is_refused_while_the_first_runs(home: Home) -> None:
    with sole_executor(home), pytest.raises(Fault) as refused, sole_executor(home):
        pass
    assert refused.value.code is ErrorCode.ALREADY_RUNNING


def test_the_next_executor_may_run_at_once_though_a_fork_still_has_the_lock_open(home: Home) -> None:
    with sole_executor(home):
        left_open = also_open(home.run / LOCK_NAME)
    try:
        with sole_executor(home):
            pass
    finally:
        os.close(left_open)


def test_an_executor_that_fails_lets_the_next_one_run(home: Home) -> None:
    with pytest.raises(ZeroDivisionError), sole_executor(home):
        raise ZeroDivisionError
    with sole_executor(home):
        pass
