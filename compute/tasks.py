"""A task and what performs it, wherever that is.

Shell. Work is a plain function of `(shared, Task)`; it takes its seed from the task, so that
neither the place, nor the number of workers, nor the order of completion can change a byte.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Generic, TypeVar

from compute.code import code_fingerprint
from when_to_invest.errors import ErrorCode, Fault

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
_SEED_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Task(Generic[Item]):
    """One piece of work: its key, unique in a run, its seed, and what it is about."""

    key: str
    seed: int
    item: Item


Work = Callable[[Shared, Task[Item]], Result]
"""A function at the top of a module, so that a worker can find it by name."""


def seed_of(seed: int, key: str) -> int:
    """Return a task's own seed, of 64 bits, from the run's seed and the task's key."""
    named = hashlib.sha256(f"{seed}\0{key}".encode()).digest()
    return int.from_bytes(named[:_SEED_BYTES], "big")


def packed(content: object) -> bytes:
    """Return `content` as bytes.

    Bytes travel inside the task. Anything else joblib would leave on one worker of a cluster,
    and it would be lost with that worker.
    """
    return pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)


def perform(program: bytes, task: bytes) -> bytes:
    """Perform a packed task of a packed `(work, shared, fingerprint)` in a worker; return it packed.

    Raises:
        Fault: `other_code` where this worker runs other code than the caller.
    """
    work, shared, fingerprint = _opened(program)
    if fingerprint is not None and fingerprint != code_fingerprint():
        raise Fault(
            ErrorCode.OTHER_CODE,
            "a worker of the cluster runs other code, or other numerical libraries, than this program",
            fix="install the same version on every worker; results would not be comparable",
        )
    _use_one_thread()
    return packed(work(shared, pickle.loads(task)))  # noqa: S301 - made by the caller of this very run


def perform_numbered(number: int, program: bytes, task: bytes) -> tuple[int, bytes]:
    """Perform as `perform`; the number travels with the result."""
    return number, perform(program, task)


@lru_cache(maxsize=2)
def _opened(program: bytes) -> tuple[Callable[[Any, Task[Any]], Any], Any, str | None]:
    opened: tuple[Callable[[Any, Task[Any]], Any], Any, str | None] = pickle.loads(program)  # noqa: S301 - as above
    return opened


@cache
def _use_one_thread() -> None:
    """Let linear algebra use one thread in this worker: sums over more may round differently."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)
