"""What an answer may cite: numbers, dates and names from the structured part of tool results.

Stage: report (LLM shell, pure). Text never becomes evidence: neither a tool's prose, nor
words that came from outside, nor the question. Only typed figures of our own services
and the bounds of the request do, and what is exactly computed from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, Final

from agents.request import Request
from agents.toolbox import structured_of
from when_to_invest.decision.recommendation import Predicate, Recommendation
from when_to_invest.money import share_usd

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage


@unique
class Kind(StrEnum):
    """What a fact measures; decides in which units it may be shown."""

    RATIO = "ratio"
    BPS = "bps"
    MONEY = "money"
    COUNT = "count"
    SCORE = "score"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fact:
    """One citable number in the unit of its kind."""

    id: str
    value: Decimal
    kind: Kind


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that may be cited. `names` are ids whose digits are no figures."""

    facts: tuple[Fact, ...] = ()
    dates: frozenset[date] = frozenset()
    names: frozenset[str] = frozenset()

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(self.facts + other.facts, self.dates | other.dates, self.names | other.names)


_KIND_OF_UNIT: Final = {
    "ratio": Kind.RATIO,
    "fraction": Kind.RATIO,
    "probability": Kind.RATIO,
    "ratio_per_year": Kind.RATIO,
    "bps": Kind.BPS,
    "usd": Kind.MONEY,
    "days": Kind.COUNT,
    "sessions": Kind.COUNT,
    "bars": Kind.COUNT,
    "count": Kind.COUNT,
    "s": Kind.COUNT,
    "score": Kind.SCORE,
}
_RATIO_KEYS: Final = frozenset(
    {"value", "baseline", "low", "high", "level", "weight", "cap", "sigma_annual", "fraction"}
)
_ALWAYS_RATIO: Final = frozenset({"cap", "weight", "fraction", "level"})
_COUNT_KEYS: Final = frozenset(
    {"bars", "quantity", "count", "approvals_needed", "filled_size", "authorised_size"}
)
_COUNT_ENDINGS: Final = ("_days", "_s", "_quantity", "_per_minute", "_per_hour")
_PROSE_KEYS: Final = frozenset(
    {"text", "name", "why", "title", "note", "notes", "message", "fix", "description", "summary", "limits"}
)
_NAME_KEYS: Final = frozenset(
    {"id", "instrument", "account", "code", "rule", "metric", "evidence", "strategy"}
)
_NUMBER: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,18})?")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?")
_NAME: Final = re.compile(
    r"(?=[A-Za-z0-9._:/-]*[A-Za-z])(?=[A-Za-z0-9._:/-]*\d)[A-Za-z0-9][A-Za-z0-9._:/-]{1,99}"
)
_WINDOW: Final = re.compile(r"(?<=[a-z])\d{1,4}(?=[_.]|$)")
RECOMMENDATION_TOOL: Final = "market__get_recommendation"


def _kind_of_key(key: str, unit: object) -> Kind:
    if isinstance(unit, str) and key not in _ALWAYS_RATIO:
        return _KIND_OF_UNIT.get(unit.lower(), Kind.OTHER)
    if key.endswith("_usd"):
        return Kind.MONEY
    if key.endswith("_bps"):
        return Kind.BPS
    if key in _RATIO_KEYS or key.endswith(("_ratio", "_fraction")):
        return Kind.RATIO
    if key in _COUNT_KEYS or key.endswith(_COUNT_ENDINGS):
        return Kind.COUNT
    return Kind.SCORE if key == "score" else Kind.OTHER


def _leaves(value: object, path: str, unit: object = None) -> Iterator[tuple[str, object, object]]:
    """Yield (dotted path, leaf, unit beside it), leaving out prose and untrusted subtrees."""
    if isinstance(value, Mapping):
        beside = value.get("unit", unit)
        for key, item in value.items():
            if "untrusted" not in str(key):
                yield from _leaves(item, f"{path}.{key}", beside)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]", unit)
    elif value is not None and not isinstance(value, bool) and not _is_prose(value, path):
        yield path, value, unit


def _is_prose(leaf: object, path: str) -> bool:
    """Whether a leaf is text under a key of words, one text or a list of them."""
    return isinstance(leaf, str) and _key_of(path) in _PROSE_KEYS


def _key_of(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]


def _instant(text: str) -> date | None:
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def from_structured(structured: Mapping[str, Any], *, source: str) -> Evidence:
    """Collect the typed figures, dates and ids of one tool result."""
    facts: list[Fact] = []
    dates: set[date] = set()
    names: set[str] = set()
    for path, leaf, unit in _leaves(structured, source):
        key = _key_of(path)
        if isinstance(leaf, int | float) or (isinstance(leaf, str) and _NUMBER.fullmatch(leaf)):
            facts.append(Fact(path, Decimal(str(leaf)), _kind_of_key(key, unit)))
        elif isinstance(leaf, str) and (day := _instant(leaf)) is not None:
            dates.add(day)
        elif isinstance(leaf, str) and _is_name(key, leaf):
            names.add(leaf)
    return Evidence(tuple(facts), frozenset(dates), frozenset(names))


def _is_name(key: str, text: str) -> bool:
    return (key in _NAME_KEYS or key.endswith(("_id", "_hash"))) and _NAME.fullmatch(text) is not None


def from_request(request: Request) -> Evidence:
    """Collect the bounds of the request; never a number of the question's own words."""
    facts = [Fact("request.horizon_days", Decimal(request.horizon_days), Kind.COUNT)]
    if request.budget_usd is not None:
        facts.append(Fact("request.budget_usd", request.budget_usd, Kind.MONEY))
    day = _instant(request.as_of or "")
    return Evidence(tuple(facts), frozenset({day} if day else ()))


def _from_predicate(predicate: Predicate, name: str) -> Fact:
    kind = _KIND_OF_UNIT.get(predicate.unit.lower(), Kind.OTHER)
    return Fact(name, Decimal(str(predicate.value)), kind)


def from_recommendation(answer: Recommendation, *, budget_usd: Decimal | None) -> Evidence:
    """Collect a recommendation's figures, windows named in its ids, and parts of the budget."""
    base = from_structured(answer.model_dump(mode="json"), source="recommendation")
    facts = [
        Fact(item.id, Decimal(str(item.value)), _KIND_OF_UNIT.get(item.unit.lower(), Kind.OTHER))
        for item in answer.evidence
    ]
    facts += [_from_predicate(item, f"invalidation.{item.metric}") for item in answer.invalidation]
    # A fall of 5 % is written with and without its minus sign.
    facts += [
        Fact(f"p_drop[{n}].fall", -abs(Decimal(str(odds.threshold_ratio))), Kind.RATIO)
        for n, odds in enumerate(answer.p_drop)
    ]
    facts += [
        Fact(f"window.{item.id}", Decimal(found.group()), Kind.COUNT)
        for item in answer.evidence
        for found in _WINDOW.finditer(item.id)
    ]
    if budget_usd is not None:
        sizes = {
            "size_usd": answer.size_fraction,
            **{f"schedule[{n}].usd": step.fraction for n, step in enumerate(answer.schedule)},
        }
        facts += [Fact(name, share_usd(budget_usd, size), Kind.MONEY) for name, size in sizes.items()]
    known = frozenset(item.id for item in answer.evidence)
    return Evidence(tuple(facts), names=known | {answer.instrument}) + base


def evidence_of(
    messages: Iterable[AnyMessage], *, request: Request, recommendation: Recommendation | None
) -> Evidence:
    """Collect what an answer to `request` may cite after these messages."""
    from langchain_core.messages import ToolMessage

    known = from_request(request)
    if recommendation is not None:
        known += from_recommendation(recommendation, budget_usd=request.budget_usd)
    for message in messages:
        # Other recommendations are not this answer's: only the settled one counts, typed.
        if not isinstance(message, ToolMessage) or message.name == RECOMMENDATION_TOOL:
            continue
        if (structured := structured_of(message)) is not None:
            known += from_structured(structured, source=message.name or "tool")
    return known
