"""Plans as people and models write them: `twap duration_s=3600 slices=12`. Parsed once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import Execution
from when_to_invest.money import decimal_text
from when_to_invest.values import Value

MOST_TEXT: Final = 4_000
"""Letters of a plan at most; a curve of 500 weights fits."""
_PLAN: Final[TypeAdapter[Execution]] = TypeAdapter(Execution)
PLANS: Final[Mapping[str, type[Value]]] = MappingProxyType(
    {plan.model_fields["kind"].default: plan for plan in get_args(get_args(Execution)[0])}
)
"""The class of every plan by the word that begins it."""


def parse_execution(text: str) -> Execution:
    """Read a plan: its kind, and `name=value` for each figure; the weights of a curve with commas.

    Raises:
        Fault: `bad_argument`, saying how this kind of plan is written.
    """
    kind, *parts = text[:MOST_TEXT].split() or [""]
    plan = PLANS.get(kind.lower())
    if plan is None or len(text) > MOST_TEXT:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{kind[:20]!r} begins no plan",
            fix=f"begin with one of {', '.join(PLANS)}",
        )
    pairs = [part.partition("=") for part in parts]
    names = [name for name, _, _ in pairs]
    if len({*names, "kind"}) <= len(names) or not all(separator for _, separator, _ in pairs):
        raise _unreadable(plan, "each figure is given once, as name=value")
    try:
        given = {name: _figure(plan, name, value) for name, _, value in pairs}
        return _PLAN.validate_python({**given, "kind": kind.lower()})
    except ValidationError as error:
        first = error.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        where = ".".join(str(part) for part in first["loc"][1:])
        raise _unreadable(plan, f"{where}: {why}" if where else why) from error


def usage(plan: type[Value]) -> str:
    """Return how a plan is written; what may be left out stands in brackets with its default."""
    words = [plan.model_fields["kind"].default]
    for name, known in plan.model_fields.items():
        if known.is_required():
            words.append(f"{name}={_sample(known.annotation)}")
    optional = [(n, f.default) for n, f in plan.model_fields.items() if not f.is_required() and n != "kind"]
    words += [
        f"[{name}={default if isinstance(default, int) else decimal_text(default)}]"
        for name, default in optional
    ]
    return " ".join(words)


def _figure(plan: type[Value], name: str, text: str) -> Any:
    known = plan.model_fields.get(name)
    if known is not None and get_origin(known.annotation) is tuple:
        return tuple(text.split(","))
    is_count = known is not None and known.annotation is int
    return int(text) if is_count and text.isascii() and text.isdigit() else text


def _sample(annotation: Any) -> str:
    if get_origin(annotation) is tuple:
        return "N,N,…"
    return "N"


def _unreadable(plan: type[Value], why: str) -> Fault:
    return Fault(ErrorCode.BAD_ARGUMENT, f"the plan cannot be read: {why}", fix=f"write it as {usage(plan)}")
