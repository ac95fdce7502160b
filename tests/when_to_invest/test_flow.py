"""The map of the flow is true: functions exist, types fit, stages connect, nodes agree."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import typing
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import pytest
from langchain_core.messages import ToolCall, ToolMessage
from langgraph.graph import END, START
from pydantic import BaseModel
from typing_extensions import is_typeddict

from graphs.recommend import Parts, build_graph
from ledger.queue import OutgoingMessage, ReceivedMessage
from when_to_invest import events as ev
from when_to_invest.flow import AGENT_NODES, STAGES, Process, Stage, Via
from when_to_invest.models.fall_odds import Record
from when_to_invest.models.volatility import Study
from when_to_invest.values import Value

FLOATS = np.ndarray[Any, np.dtype[np.float64]]
ONLY_FOR_CHECKERS = {
    "FloatArray": FLOATS,
    "Record": Record,
    "Study": Study,
    "TimeArray": FLOATS,
    "ToolCall": ToolCall,
    "ToolMessage": ToolMessage,
}
SOURCES_OF_TRUTH = ("plan", "observe")
"""The stages that begin something: a question, the data."""
HOMES = {
    Process.AGENT: {"agents"},
    Process.MARKET: {"market_data", "when_to_invest"},
    Process.ORDERS: {"ledger", "policies", "tool_servers", "when_to_invest"},
    Process.EXECUTOR: {"executor", "ledger", "policies"},
}
by_name = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)


def hints_of(thing: Any) -> dict[str, Any]:
    """Return annotations; names that only type checkers import are given their meaning here."""
    return typing.get_type_hints(thing, localns=ONLY_FOR_CHECKERS)


def parts_of(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and everything it is built from."""
    yield annotation
    yield typing.get_origin(annotation)
    for inner in typing.get_args(annotation):
        yield from parts_of(inner)


def members_of(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) or (kind,)


def fields_of(kind: Any) -> dict[str, Any]:
    """Return the fields of a value, or of every member of a union."""
    members = [part for part in parts_of(kind) if isinstance(part, type)]
    values = [
        m for m in members if dataclasses.is_dataclass(m) or is_typeddict(m) or issubclass(m, BaseModel)
    ]
    return {name: hint for member in values for name, hint in hints_of(member).items()}


def holds(holder: Any, kind: Any) -> bool:
    return any(kind in parts_of(hint) for hint in fields_of(holder).values())


def resolved(stage: Stage) -> tuple[list[Any], Any]:
    return [pkgutil.resolve_name(name) for name in stage.takes], pkgutil.resolve_name(stage.gives)


def given_before(stage: Stage) -> list[Any]:
    return [resolved(earlier)[1] for earlier in STAGES[: STAGES.index(stage)]]


def is_event(kind: Any) -> bool:
    return kind in parts_of(ev.Event)


def handed_to(stage: Stage) -> Iterator[Any]:
    """Yield what the function may be handed: its parameters, else what its object works on."""
    function = pkgutil.resolve_name(stage.function)
    owner = pkgutil.resolve_name(stage.function.rpartition(".")[0])
    methods = [member for _, member in inspect.getmembers(owner, inspect.isfunction)]
    for source in (function, *(methods if inspect.isclass(owner) else ())):
        for hint in hints_of(source).values():
            yield from parts_of(hint)


def test_stages_have_names_of_their_own() -> None:
    assert len({stage.name for stage in STAGES}) == len(STAGES)


@by_name
def test_a_stage_says_what_it_does(stage: Stage) -> None:
    assert inspect.getdoc(pkgutil.resolve_name(stage.function))


@by_name
def test_a_stage_runs_where_its_code_may_be(stage: Stage) -> None:
    assert stage.function.partition(".")[0] in HOMES[stage.process]


@by_name
def test_a_function_takes_what_its_stage_takes(stage: Stage) -> None:
    for kind in resolved(stage)[0]:
        is_parsed = stage.via is Via.QUEUE or (stage.via is Via.MCP and Mapping in handed_to(stage))
        is_taken = all(member in handed_to(stage) for member in members_of(kind))
        is_column = FLOATS in fields_of(kind).values() and FLOATS in handed_to(stage)
        assert is_parsed or is_taken or is_column


@by_name
def test_a_function_gives_what_its_stage_gives(stage: Stage) -> None:
    _, kind = resolved(stage)
    function = pkgutil.resolve_name(stage.function)
    if is_event(kind):
        assert f"{kind.__name__}(" in inspect.getsource(inspect.getmodule(function))  # type: ignore[arg-type]
        return
    returned = list(parts_of(hints_of(function)["return"]))
    assert all(member in returned for member in members_of(kind))


@by_name
def test_a_stage_takes_what_an_earlier_one_gives(stage: Stage) -> None:
    earlier = given_before(stage)
    if stage.name in SOURCES_OF_TRUTH:
        assert not stage.takes
        return
    assert stage.takes
    for kind in resolved(stage)[0]:
        direct = [given for given in earlier if kind in parts_of(given) or holds(given, kind)]
        wrapped = [given for given in earlier if holds(kind, given)]
        spelled = [
            given for given in earlier if fields_of(given) and set(fields_of(given)) <= set(fields_of(kind))
        ]
        assert direct or wrapped or (stage.via is Via.MCP and spelled)


def test_what_crosses_the_queue_has_one_text_and_arrives_whole() -> None:
    crossing = [kind for stage in STAGES if stage.via is Via.QUEUE for kind in resolved(stage)[0]]
    assert crossing
    assert all(issubclass(kind, Value) for kind in crossing)
    assert set(fields_of(OutgoingMessage)) <= set(fields_of(ReceivedMessage))


def test_what_is_folded_from_the_journal_is_an_event() -> None:
    folded = [kind for stage in STAGES if stage.via is Via.JOURNAL for kind in resolved(stage)[0]]
    assert folded
    assert all(is_event(kind) for kind in folded)


def test_the_agents_steps_are_stages_in_their_order() -> None:
    names = [stage.name for stage in STAGES]
    assert [name for name in names if name in AGENT_NODES] == list(AGENT_NODES)


def test_the_agents_graph_has_exactly_these_nodes() -> None:
    unused = cast("Any", None)
    graph = build_graph(Parts(unused, unused, most_steps=1), checkpointer=None)
    assert set(graph.get_graph().nodes) - {START, END} == set(AGENT_NODES)


def test_judging_comes_before_sealing_and_again_before_sending() -> None:
    names = [stage.name for stage in STAGES]
    order = ["judge", "seal", "queue", "receive", "verify", "judge again", "intend", "send", "journal"]
    assert [name for name in names if name in order] == order
