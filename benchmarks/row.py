"""One measured claim: our figure, a peer's figure from the same run, their ratio, the target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the benchmark table.

    `ratio` says how many times better than the peer ours is (above 1 is better). Without
    a peer `target` bounds `value`, in `unit`; with one it is the least ratio allowed.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float | None
    ratio: float | None
    target: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number; `is_lower_better` for durations, not for rates."""

    value: float
    unit: str
    is_lower_better: bool = True


def against(name: str, ours: Figure, *, peer: str, peer_value: float, least_ratio: float) -> Row:
    """Return a row that holds ours against a peer measured in the same unit."""
    ratio = peer_value / ours.value if ours.is_lower_better else ours.value / peer_value
    return Row(name, ours.value, ours.unit, peer, peer_value, ratio, least_ratio, ratio >= least_ratio)


def within(name: str, ours: Figure, *, bound: float) -> Row:
    """Return a row that holds ours against a bound in the figure's unit."""
    is_ok = ours.value <= bound if ours.is_lower_better else ours.value >= bound
    return Row(name, ours.value, ours.unit, "", None, None, bound, is_ok)


def median_s(call: Callable[[], object], *, repeats: int) -> float:
    """Return the median duration of `call` in seconds, after one call to warm up."""
    call()
    durations = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        durations.append(time.perf_counter() - started)
    return statistics.median(durations)
