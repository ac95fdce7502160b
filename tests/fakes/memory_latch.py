"""A latch in memory: implements `home.latch.Switch`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from when_to_invest.breakers import Halt


class MemoryLatch:
    """Outlives our "process", like the file it stands for."""

    def __init__(self) -> None:
        self.halts: list[Halt] = []
        self.dropped = 0

    def read(self) -> tuple[Halt, ...]:
        return tuple(self.halts)

    @contextmanager
    def writing(self) -> Iterator[tuple[Halt, ...]]:
        yield self.read()

    def drop(self, halt: Halt) -> Halt:
        self.dropped += 1
        named = replace(halt, latch_id=f"h-{self.dropped:016x}")
        self.halts.append(named)
        return named

    def lift(self, latch_ids: Collection[str]) -> int:
        before = len(self.halts)
        self.halts = [halt for halt in self.halts if halt.latch_id not in latch_ids]
        return before - len(self.halts)
