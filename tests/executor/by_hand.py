"""Runs the executor's coroutines from tests that are not coroutines, also while another one runs.

A probe may start a second executor in the middle of the first one's work: that one then runs
on a loop of its own, in a thread of its own, while the first stands still.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import threading
from collections.abc import Coroutine
from functools import wraps
from typing import Any, TypeVar

Result = TypeVar("Result")
_RUNNER = asyncio.Runner()
atexit.register(_RUNNER.close)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what `work` returns, or raise what it raises."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if threading.current_thread() is threading.main_thread():
            return _RUNNER.run(work)
        return asyncio.run(work)
    return _aside(work)


def _aside(work: Coroutine[Any, Any, Result]) -> Result:
    answers: list[Result] = []
    errors: list[BaseException] = []

    def go() -> None:
        try:
            answers.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=go, name="another-executor")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


class ByHand:
    """Anything with coroutines, as if they were plain methods."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if not inspect.iscoroutinefunction(found):
            return found

        @wraps(found)
        def called(*arguments: Any, **named: Any) -> Any:
            return run(found(*arguments, **named))

        return called
