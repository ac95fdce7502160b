"""The cheapest way to take as much as possible from shelves whose lots get dearer. Pure, exact.

Lots of one size are taken by rising cost, which is optimal where costs are convex (Gross 1956;
Ibaraki and Katoh 1988, "Resource allocation problems"). Where sizes differ, each divides the next:
of the smaller ones the cheapest fill what the next size cannot, and the others are taken by as many
as make up one of the next. Along the multiples of a size the best cost is convex as well, so that
merging by rising cost stays optimal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from executor.routing.shelves import Run

Taken = dict[int, int]
"""Lots by the shelf's place."""


def fill(runs: Iterable[Run], *, units: int) -> Taken:
    """Return the lots to take so that most units are taken, and these at the least cost.

    Every size divides the larger ones. At equal cost the earlier shelf is taken.
    """
    by_size: dict[int, list[Run]] = {}
    for run in runs:
        by_size.setdefault(run.size, []).append(run)
    taken: Taken = {}
    carried: list[Run] = []
    sizes = [*sorted(by_size), 0]
    for size, larger in pairwise(sizes):
        ordered = sorted((*carried, *by_size[size]), key=_order)
        loose = (units % larger if larger else units) // size
        rest = _take(ordered, loose, taken)
        carried = list(_bundled(rest, larger // size)) if larger else []
    return taken


def _order(run: Run) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    """Order by what is gained, then by cost: a bundle that is not whole comes after all others."""
    return -run.size, run.cost, run.parts


def _take(ordered: Sequence[Run], count: int, taken: Taken) -> list[Run]:
    """Add the first `count` items to `taken`; return what is left of the runs."""
    left: list[Run] = []
    for at, run in enumerate(ordered):
        if not count:
            return [*left, *ordered[at:]]
        used = min(run.copies, count)
        count -= used
        for place, lots in run.parts:
            taken[place] = taken.get(place, 0) + used * lots
        if used < run.copies:
            left.append(run._replace(copies=run.copies - used))
    return left


def _bundled(runs: Iterable[Run], count: int) -> Iterator[Run]:
    """Yield the runs by `count` items at a time; the last bundle may hold fewer."""
    size = cost = held = 0
    parts: dict[int, int] = {}
    for run in runs:
        left = run.copies
        while left:
            if not held and left >= count:
                whole = left // count
                scaled = tuple((place, lots * count) for place, lots in run.parts)
                yield Run(run.size * count, run.cost * count, whole, scaled)
                left -= whole * count
                continue
            used = min(left, count - held)
            size, cost, held, left = size + used * run.size, cost + used * run.cost, held + used, left - used
            for place, lots in run.parts:
                parts[place] = parts.get(place, 0) + used * lots
            if held == count:
                yield Run(size, cost, 1, tuple(sorted(parts.items())))
                size, cost, held, parts = 0, 0, 0, {}
    if held:
        yield Run(size, cost, 1, tuple(sorted(parts.items())))
