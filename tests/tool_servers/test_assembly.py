"""Whatever goes wrong in a call, the caller gets one error object and nobody a traceback."""

from __future__ import annotations

import json
import re

import pytest

from tests.tool_servers.calling import answer_of, call, error_of, tools_of
from tool_servers.assembly import ServerCard, Terms, ToolServer, build_server
from tool_servers.rates import Rate
from tool_servers.toolspec import MOST_ARGUMENTS, MOST_TOOLS, READS, ToolDefinition, checked
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Value

SECRET = "a-secret-that-must-not-leave"  # noqa: S105 - planted to be looked for


class Echo(Value):
    """What was said."""

    said: str


def say(text: str, times: int = 1) -> Echo:
    if text == "fault":
        raise Fault(ErrorCode.STALE_DATA, "too old", fix="refresh")
    if text == "defect":
        raise RuntimeError(SECRET)
    return Echo(said=text * times)


async def whisper(text: str) -> Echo:
    return Echo(said=text.lower())


def tool(name: str = "say", **changes: object) -> ToolDefinition:
    given = {"function": say, "description": "Echo.", "conduct": READS, "summarise": lambda echo: echo.said}
    return ToolDefinition(name=name, **(given | changes))  # type: ignore[arg-type]


def server(*, rate: Rate | None = None) -> ToolServer:
    tools = [tool(), tool("whisper", function=whisper)]
    return build_server(ServerCard("echo", "Echoes."), tools, terms=Terms(rate=rate or Rate()))


def test_a_value_arrives_as_structure_and_as_a_line(mode: str) -> None:
    result = call(server(), "say", {"text": "ab", "times": 2}, mode=mode)
    assert answer_of(result) == {"said": "abab"}
    assert result.content[0].text == "abab"  # type: ignore[union-attr]


def test_an_async_tool_answers_too(mode: str) -> None:
    assert answer_of(call(server(), "whisper", {"text": "AB"}, mode=mode)) == {"said": "ab"}


def test_a_fault_keeps_its_code_and_fix(mode: str) -> None:
    error = error_of(call(server(), "say", {"text": "fault"}, mode=mode))
    assert error == {"code": "stale_data", "message": "too old", "fix": "refresh", "retryable": True}


def test_a_defect_is_masked_and_its_text_stays_here(mode: str, capfd: pytest.CaptureFixture[str]) -> None:
    result = call(server(), "say", {"text": "defect"}, mode=mode)
    assert error_of(result)["code"] == "internal"
    assert SECRET not in result.model_dump_json()
    assert "Traceback" not in result.model_dump_json()
    logged = capfd.readouterr()
    assert SECRET not in logged.err + logged.out


@pytest.mark.parametrize(
    "arguments",
    [{}, {"text": 1}, {"text": "a", "times": "many"}, {"text": "a", "volume": 3}, {"text": None}],
    ids=["missing", "wrong type", "no number", "unknown", "null"],
)
def test_wrong_arguments_are_the_callers_to_correct(mode: str, arguments: dict[str, object]) -> None:
    error = error_of(call(server(), "say", arguments, mode=mode))
    assert error["code"] == "bad_argument"
    assert not error["retryable"]


def test_an_unknown_tool_is_an_error_object(mode: str) -> None:
    assert error_of(call(server(), "shout", mode=mode))["code"] == "bad_argument"


def test_too_many_calls_are_told_to_wait(mode: str) -> None:
    slow = server(rate=Rate(per_minute=0.001, burst=1))
    answer_of(call(slow, "say", {"text": "a"}, mode=mode))
    error = error_of(call(slow, "say", {"text": "a"}, mode=mode))
    assert error["code"] == "rate_limited"
    assert error["retryable"]


def test_each_call_leaves_one_line_without_its_arguments(
    mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    call(server(), "say", {"text": SECRET}, mode=mode)
    call(server(), "say", {"text": "fault"}, mode=mode)
    logged = capfd.readouterr().err
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert [(line["tool"], line["outcome"], line["caller"]) for line in lines] == [
        ("say", "ok", "local"),
        ("say", "stale_data", "local"),
    ]
    assert SECRET not in logged


def test_a_forged_tool_name_cannot_break_the_log(mode: str, capfd: pytest.CaptureFixture[str]) -> None:
    call(server(), 'x"}\n{"caller": "operator', mode=mode)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    assert len(lines) == 1
    assert json.loads(lines[0])["caller"] == "local"


def test_schemas_refuse_what_they_do_not_know_and_carry_no_noise() -> None:
    for listed in tools_of(server()):
        assert listed.input_schema["additionalProperties"] is False
        assert listed.output_schema is not None
        assert not re.search(r'"title": "', json.dumps([listed.input_schema, listed.output_schema]))


def test_a_server_with_too_much_to_choose_from_is_not_built() -> None:
    with pytest.raises(ValueError, match="at most"):
        checked([tool(f"say{n}") for n in range(MOST_TOOLS + 1)])
    with pytest.raises(ValueError, match="share a name"):
        checked([tool(), tool()])
    with pytest.raises(ValueError, match="arguments"):
        checked([tool(function=lambda a, b, c, d, e, f, g: Echo(said=""))])
    assert MOST_ARGUMENTS < 7
