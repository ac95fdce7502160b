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
from when_to_invest.honesty.lookahead import Audit, Finding, Kind, chosen_cuts
from when_to_invest.honesty.other_futures import FUTURES, copied, truncated, with_other_future
from when_to_invest.honesty.subjects import KnownAt
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np

Decide = Callable[[BarSeries, datetime], Mapping[str, object]]
"""The pipeline under audit: all bars there are, and the instant as of which to answer."""
_ABSTENTIONS: Final = frozenset({ErrorCode.HISTORY_TOO_SHORT, ErrorCode.STALE_DATA})
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
        series: all bars.
        known_from: when bar i closed.
        cuts: how many instants.
        seed: equal seeds choose equal instants.

    Raises:
        Fault: `history_too_short` when it abstained at every cut, `bad_argument` below one cut,
            and what `decide` raises but for abstentions.
    """
    import numpy as np

    if cuts < 1:
        raise Fault(ErrorCode.BAD_ARGUMENT, "an audit needs a cut", fix="ask for at least one")
    places = chosen_cuts(len(series), cuts, seed)
    findings: list[Finding] = []
    abstained = 0
    for number, cut in enumerate(places):
        chance = np.random.default_rng((seed, number))
        room = known_from(cut + 1) - known_from(cut)
        as_of = known_from(cut) + timedelta(seconds=int(chance.random() * room.total_seconds()))
        answer = _answer(decide, series, as_of)
        abstained += _ABSTAINED in answer
        for how, other in _others(series, cut, chance):
            kind = _KINDS.get(how, Kind.FUTURE)
            findings += _moved(
                (kind, how), (cut, series.opened_at(cut)), answer, _answer(decide, other, as_of)
            )
    if abstained == len(places):
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT, f"{name} abstained at every cut", fix="audit it on a longer history"
        )
    return Audit(name, len(series), places, abstained, tuple(findings))


_KINDS: Final = {"asked twice": Kind.UNREPEATABLE, "cut off": Kind.TRUNCATION}


def _others(series: BarSeries, cut: int, chance: np.random.Generator) -> Iterator[tuple[str, BarSeries]]:
    yield "asked twice", series
    yield "cut off", truncated(series, cut, KnownAt.CLOSE)
    future = tuple(FUTURES)[int(chance.integers(len(FUTURES)))]
    yield future, with_other_future(series, cut, KnownAt.CLOSE, future=future, chance=chance)


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
