"""Counts and sums over the last 24 hours, kept as rows come and go instead of taken anew each time.

Stage: beside the account book, for the gate. A tally follows the book's own rows and says
exactly what counting all of them would say, however many there are. It is no state: what it
knows is taken from the rows alone, and it is not compared, journalled or folded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from itertools import islice
from operator import is_
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from when_to_invest.intents import OrderIntent
    from when_to_invest.portfolio import Proposal
    from when_to_invest.recent import SealedOrder

ZERO: Final = Decimal(0)
MOST_SIGNATURES: Final = 2
"""More signatures than these count as these."""
_WIDE: Final = Context(prec=160)
"""Amounts of 66 digits are added and taken away again without rounding."""
_TAIL: Final = 256
_NOTHING: Final = (ZERO,) * (MOST_SIGNATURES + 1)
Row = TypeVar("Row")
Scope = tuple[str, str, str]
"""Account, venue and instrument."""


class _Following(ABC, Generic[Row]):
    """Sees which rows came and went; rows never change, so the same object is the same row."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.rows.clear()

    def follow(self, rows: Sequence[Row] | deque[Row]) -> None:
        """Take notice of the rows that came and went.

        Raises:
            Whatever a row raises that cannot be counted; then nothing is known any more.
        """
        try:
            self._advance(rows)
        except BaseException:
            self.clear()
            raise

    def _advance(self, rows: Sequence[Row] | deque[Row]) -> None:
        """Drop and add at both ends until these are the rows."""
        mine = self.rows
        while mine and not (rows and mine[0] is rows[0]):
            self._drop(mine.popleft())
        while mine and not (len(mine) <= len(rows) and mine[-1] is rows[len(mine) - 1]):
            self._drop(mine.pop())
        for row in [*islice(reversed(rows), len(rows) - len(mine))][::-1]:
            self._add(row)
            mine.append(row)

    @abstractmethod
    def _add(self, row: Row) -> None: ...

    @abstractmethod
    def _drop(self, row: Row) -> None: ...


class AskedTally(_Following["Proposal"]):
    """Proposals by who asked, where, and for what."""

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._of: dict[str, list[Proposal]] = {}
        self._scopes: dict[Any, list[tuple[datetime, str]]] = {}
        self._proposers: dict[str, list[datetime]] = {}
        self._shapes: dict[Any, list[tuple[datetime, str]]] = {}

    def since(self, decision_id: str) -> list[Proposal]:
        """Return a decision's own row and all that followed, newest first; nothing without one."""
        left, found = len(self.of(decision_id)), []
        for row in reversed(self.rows):
            if not left:
                break
            found.append(row)
            left -= row.decision_id == decision_id
        return found

    def of(self, decision_id: str) -> Sequence[Proposal]:
        """Return the rows of a decision, in the order they came."""
        return self._of.get(decision_id, ())

    def in_scope(self, scope: Scope, *, proposer: str, after: datetime) -> list[str]:
        """Return the decision of each of a proposer's rows of such a scope that came after an instant."""
        rows = self._scopes.get((scope, proposer), [])
        return [decision_id for _, decision_id in rows[bisect_right(rows, after, key=_instant) :]]

    def by_proposer(self, proposer: str, *, after: datetime) -> int:
        """Count rows of a proposer that came after an instant."""
        return _count(self._proposers.get(proposer, ()), after=after)

    def equal(self, intent: OrderIntent, *, proposer: str) -> Iterator[tuple[datetime, str]]:
        """Yield when, and in which decision, a proposer asked for the same, newest first."""
        return reversed(self._shapes.get((proposer, *_shape_of(intent)), []))

    def _add(self, row: Proposal) -> None:
        self._of.setdefault(row.decision_id, []).append(row)
        insort(self._scopes.setdefault((scope_of(row), row.proposer), []), (row.at, row.decision_id))
        insort(self._proposers.setdefault(row.proposer, []), row.at)
        shape = (row.proposer, *_shape_of(row))
        insort(self._shapes.setdefault(shape, []), (row.at, row.decision_id))

    def _drop(self, row: Proposal) -> None:
        self._of[row.decision_id].remove(row)
        if not self._of[row.decision_id]:
            del self._of[row.decision_id]
        _take(self._scopes, (scope_of(row), row.proposer), (row.at, row.decision_id))
        _take(self._proposers, row.proposer, row.at)
        _take(self._shapes, (row.proposer, *_shape_of(row)), (row.at, row.decision_id))


class SealedTally(_Following["SealedOrder"]):
    """Sealed orders: what they are worth by how many signed, and when and where those not rejected came."""

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._times: list[tuple[datetime, str, SealedOrder]] = []
        self._worth_usd: dict[Any, list[Decimal]] = {}
        self._live: dict[Any, dict[tuple[str, str], list[datetime]]] = {}
        self._scopes: dict[Scope, list[tuple[datetime, str]]] = {}

    def _advance(self, rows: Sequence[SealedOrder] | deque[SealedOrder]) -> None:
        """Drop and add; here rows in the middle are replaced as well."""
        rows, mine = [*rows], self.rows
        for _ in range(_TAIL):
            if not mine or (len(mine) <= len(rows) and mine[-1] is rows[len(mine) - 1]):
                break
            self._drop(mine.pop())
        if [*mine] != rows[: len(mine)]:
            self._replace(rows)
        super()._advance(rows)

    def until(self, instant: datetime) -> list[SealedOrder]:
        """Return the rows that were sealed at an instant or before."""
        return [row for _, _, row in self._times[: bisect_right(self._times, instant, key=_instant)]]

    def worth_usd(self, of: tuple[str, Any] | None) -> tuple[Decimal, ...]:
        """Return what the rows of an instrument and side (or all) are worth by 0, 1, 2 signatures."""
        return tuple(self._worth_usd.get(of, _NOTHING))

    def in_scope(self, scope: Scope, *, after: datetime) -> list[str]:
        """Return decisions of an account, venue and instrument sealed after an instant, none rejected."""
        rows = self._scopes.get(scope, [])
        return [decision_id for _, decision_id in rows[bisect_right(rows, after, key=_instant) :]]

    def live(self, of: tuple[str, Any]) -> Iterator[tuple[tuple[str, str], list[datetime]]]:
        """Yield account and venue, and when its rows that nobody rejected came, oldest first."""
        return iter(self._live.get(of, {}).items())

    def _replace(self, rows: Sequence[SealedOrder]) -> None:
        """Drop what is no longer there, wherever it stood, and keep the order of the rest."""
        changed = [place for place, is_same in enumerate(map(is_, self.rows, rows)) if not is_same]
        if len(rows) == len(self.rows) and all(
            self.rows[place].decision_id == rows[place].decision_id for place in changed
        ):
            for place in changed:
                self._drop(self.rows[place])
                self._add(rows[place])
                self.rows[place] = rows[place]
            return
        there = {id(row) for row in rows}
        gone = [row for row in self.rows if id(row) not in there]
        for row in gone:
            self._drop(row)
        stay = [row for row in self.rows if id(row) in there]
        known = {id(row) for row in stay}
        for row in rows:
            if id(row) not in known:
                self._add(row)
        self.rows = deque(rows)

    def _add(self, row: SealedOrder) -> None:
        insort(self._times, (row.at, row.decision_id, row))
        self._change(row, row.worth_usd)
        if not row.is_rejected:
            here = self._live.setdefault(kind_of(row), {})
            insort(here.setdefault((row.account, row.venue), []), row.at)
            insort(self._scopes.setdefault(scope_of(row), []), (row.at, row.decision_id))

    def _drop(self, row: SealedOrder) -> None:
        del self._times[bisect_left(self._times, (row.at, row.decision_id))]
        self._change(row, row.worth_usd.copy_negate())
        if not row.is_rejected:
            _take(self._live[kind_of(row)], (row.account, row.venue), row.at)
            _take(self._scopes, scope_of(row), (row.at, row.decision_id))

    def _change(self, row: SealedOrder, by_usd: Decimal) -> None:
        signatures = min(row.signatures, MOST_SIGNATURES)
        for of in (kind_of(row), None):
            kept = self._worth_usd.setdefault(of, [*_NOTHING])
            kept[signatures] = _WIDE.add(kept[signatures], by_usd)


class Tallies:
    """The tallies of one book. Twins share them: each question first takes notice of its own rows."""

    __slots__ = ("asked", "sealed")

    def __init__(self) -> None:
        self.asked = AskedTally()
        self.sealed = SealedTally()


def scope_of(item: Proposal | SealedOrder | OrderIntent) -> Scope:
    """Return account, venue and instrument."""
    return item.account, item.venue, item.instrument


def kind_of(item: SealedOrder | OrderIntent) -> tuple[str, Any]:
    """Return instrument and side."""
    return item.instrument, item.side


def _shape_of(item: Proposal | OrderIntent) -> tuple[str, str, Decimal]:
    return item.instrument, item.side.value, item.quantity


def _count(times: Sequence[datetime], *, after: datetime) -> int:
    return len(times) - bisect_right(times, after)


def _take(lines: dict[Any, list[Any]], key: object, item: object) -> None:
    line = lines[key]
    del line[bisect_left(line, item)]
    if not line:
        del lines[key]


def _instant(item: tuple[datetime, Any] | tuple[datetime, Any, Any]) -> datetime:
    return item[0]
