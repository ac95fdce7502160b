"""Keeps what every venue gets at nothing, or at its minimum and above. Pure, exact.

Branch and bound (Land and Doig 1960): without minima the problem is solved at once and bounds what
any choice can reach. Where a venue then gets less than its minimum, it gets nothing or at least that;
both are tried, and a branch that cannot be better than the best known is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from executor.routing.filling import Taken, fill
from executor.routing.shelves import Run, Shelf

Worth = tuple[int, int]
"""Units taken, negated, then their cost: the smaller, the better."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How many lots of each shelf, and what that is worth."""

    lots: Mapping[int, int] = field(default_factory=dict)
    worth: Worth = (0, 0)


def choose(shelves: Sequence[Shelf], *, units: int) -> Choice:
    """Return the best choice of lots that respects every minimum, for at most `units`."""
    return _search(shelves, frozenset(), units=units, best=Choice())


def _search(shelves: Sequence[Shelf], forced: frozenset[int], *, units: int, best: Choice) -> Choice:
    bound = _without_minima(shelves, forced, units=units)
    if bound is None or bound.worth >= best.worth:
        return best
    short = next((each for each in shelves if 0 < bound.lots.get(each.place, 0) < each.least), None)
    if short is None:
        return bound
    best = _search(shelves, forced | {short.place}, units=units, best=best)
    others = [each for each in shelves if each is not short]
    return _search(others, forced, units=units, best=best)


def _without_minima(shelves: Sequence[Shelf], forced: frozenset[int], *, units: int) -> Choice | None:
    """Return the best choice in which only `forced` shelves have their minimum; none if it does not fit."""
    fixed = {each.place: each.least for each in shelves if each.place in forced}
    units -= sum(each.lot * fixed.get(each.place, 0) for each in shelves)
    if units < 0:
        return None
    runs = [run for each in shelves for run in _after(each.runs, fixed.get(each.place, 0))]
    taken = fill(runs, units=units)
    for place, lots in fixed.items():
        taken[place] = taken.get(place, 0) + lots
    return Choice(taken, worth_of(shelves, taken))


def _after(runs: Sequence[Run], lots: int) -> list[Run]:
    """Return the runs without their first lots."""
    if not lots:
        return list(runs)
    left = []
    for run in runs:
        used = min(run.copies, lots)
        lots -= used
        if used < run.copies:
            left.append(run._replace(copies=run.copies - used))
    return left


def worth_of(shelves: Sequence[Shelf], taken: Taken) -> Worth:
    """Return what so many lots of each shelf are worth."""
    quantity = cost = 0
    for shelf in shelves:
        left = taken.get(shelf.place, 0)
        quantity += left * shelf.lot
        for run in shelf.runs:
            used = min(run.copies, left)
            cost, left = cost + used * run.cost, left - used
            if not left:
                break
    return -quantity, cost
