"""The audit of the live pipeline: the same question asked with the future there, gone, and changed.

Stage: honesty (pure, seeded). A decision is too dear to make at every bar, so it is made at the
cuts only, at a random instant between two closes: the bar under way must not be used either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.cuts import chosen_cuts
from when_to_invest.honesty.lookahead import Audit, Finding, Kind
from when_to_invest.honesty.other_futures import FUTURES, copied, truncated, with_other_future
from when_to_invest.honesty.subjects import KnownAt
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np

Decide = Callable[[BarSeries, datetime], Mapping[str, object]]
"""The pipeline under audit: all bars there are, and the instant as of which to answer."""
_ABSTENTIONS: Final = frozenset({ErrorCode.HISTORY_TOO_SHORT, ErrorCode.STALE_DATA, ErrorCode.CORRUPT_DATA})
_ABSTAINED: Final = "abstained"


def audit_decisions(
    name: str,
    decide: Decide,
    series: BarSeries,
    *,
    known_from: Callable[[int], datetime],
    cuts: int,
    seed: int = 0,
) -> Audit:
    """Ask at `cuts` random instants, four times each, and compare every field of the answers.

    Args:
        name: how findings call the pipeline.
        decide: answers as of an instant; nested fields are compared one by one.
        series: all bars; `known_from` says when bar i closed.
        known_from: see `series`.
        cuts: how many instants; `seed` chooses them.
        seed: equal seeds, equal instants.

    Raises:
        Fault: `history_too_short` when it abstained at every cut, `bad_argument` below one cut,
            and what `decide` raises but for abstentions.
    """
    import numpy as np

    places = chosen_cuts(series, cuts, seed)
    findings: list[Finding] = []
    abstained = 0
    for number, cut in enumerate(places):
        chance = np.random.default_rng((seed, number))
        as_of = _between(known_from(cut), known_from(cut + 1), chance)
        answer = _answer(decide, series, as_of)
        abstained += _ABSTAINED in answer
        for what, other in _others(series, cut, chance):
            findings += _moved(what, (cut, series.opened_at(cut)), answer, _answer(decide, other, as_of))
    if abstained == len(places):
        message = f"{name} abstained at every cut"
        raise Fault(ErrorCode.HISTORY_TOO_SHORT, message, fix="audit it on a longer history")
    return Audit(name, len(series), places, abstained, tuple(findings))


def _between(first: datetime, last: datetime, chance: np.random.Generator) -> datetime:
    return first + timedelta(seconds=int(chance.random() * (last - first).total_seconds()))


def _others(
    series: BarSeries, cut: int, chance: np.random.Generator
) -> Iterator[tuple[tuple[Kind, str], BarSeries]]:
    """Yield the bars with which the question is asked again, and what a difference would mean."""
    yield (Kind.UNREPEATABLE, "asked twice"), series
    yield (Kind.TRUNCATION, "cut off"), truncated(series, cut, KnownAt.CLOSE)
    future = tuple(FUTURES)[int(chance.integers(len(FUTURES)))]
    other = with_other_future(series, cut, KnownAt.CLOSE, future=future, chance=chance)
    yield (Kind.FUTURE, future), other


def _answer(decide: Decide, series: BarSeries, as_of: datetime) -> dict[str, object]:
    """Return the answer field by field, or that it abstained."""
    try:
        return dict(_flat("", decide(copied(series), as_of)))
    except Fault as fault:
        if fault.code not in _ABSTENTIONS:
            raise
        return {_ABSTAINED: fault.message}


def _flat(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield every leaf of nested mappings and lists with its path."""
    if isinstance(value, Mapping):
        yield from chain.from_iterable(
            _flat(f"{path}.{key}".lstrip("."), each) for key, each in value.items()
        )
    elif isinstance(value, list | tuple):
        yield from chain.from_iterable(_flat(f"{path}[{row}]", each) for row, each in enumerate(value))
    else:
        yield path, value


def _moved(
    what: tuple[Kind, str],
    where: tuple[int, datetime],
    one: Mapping[str, object],
    other: Mapping[str, object],
) -> Iterator[Finding]:
    """Yield the first field in which two answers differ."""
    for field in (*one, *other):
        if one.get(field) != other.get(field):
            yield Finding(
                kind=what[0],
                how=what[1],
                cut=where[0],
                bar=where[0],
                opened_at=where[1],
                column=field,
                with_future=str(one.get(field)),
                without_future=str(other.get(field)),
            )
            return
