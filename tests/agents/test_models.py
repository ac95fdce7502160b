"""Claude over real HTTP: retries with back-off, degradation that says so, cached prefixes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agents.models import FIRST_PAUSE_S, MOST_ATTEMPTS, LanguageModel, Reply, choose_model
from agents.planner import NAME
from agents.prompts import SYSTEM
from agents.request import Request
from agents.transcript import opening_message
from home.settings import AgentSettings
from tests.fakes.anthropic_api import FakeAnthropic, anthropic_api, called, said

SETTINGS = AgentSettings(model="claude-sonnet-5-5", max_tokens=777)
OFFERS = [
    {"name": name, "description": "d", "input_schema": {"type": "object", "properties": {"instrument": {}}}}
    for name in ("market__get_recommendation", "market__get_risk")
]
SECRET = "sk-test-0123456789"  # noqa: S105 - opens nothing


class Pauses(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def asked(api: FakeAnthropic, pauses: Pauses | None = None, **how: Any) -> Reply:
    async def run() -> Reply:
        environment = {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": api.url}
        model = choose_model(SETTINGS, environment, pause=pauses if pauses is not None else Pauses())
        try:
            return await model.respond(
                [opening_message(Request(question="Now?", instrument="SPX"))], OFFERS, **how
            )
        finally:
            await model.close()

    return asyncio.run(run())


def test_without_a_key_the_embedded_planner_plans() -> None:
    assert choose_model(SETTINGS, {}) == LanguageModel(NAME)
    assert choose_model(SETTINGS, {"ANTHROPIC_API_KEY": "  "}).claude is None


def test_an_answer_is_streamed_and_its_usage_counted() -> None:
    with anthropic_api(lambda _: said("Good day.")) as api:
        reply = asked(api)
    assert (reply.message.text, reply.model, reply.degraded) == ("Good day.", "claude-sonnet-5-5", "")
    usage = reply.message.usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"]) == (1000, 20)
    assert usage["input_token_details"]["cache_read"] == 900


def test_the_request_names_model_and_length_and_caches_its_prefix() -> None:
    with anthropic_api(lambda _: said("x")) as api:
        asked(api)
    (body,) = api.requests
    assert (body["model"], body["max_tokens"], body["stream"]) == ("claude-sonnet-5-5", 777, True)
    assert body["system"] == [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    assert ["cache_control" in tool for tool in body["tools"]] == [False, True]
    assert body["tool_choice"] == {"type": "auto"}
    assert SECRET in str(api.headers[0])
    assert SECRET not in str(body)


def test_a_tool_call_is_read_from_the_stream() -> None:
    with anthropic_api(
        lambda _: [*said("Let me look."), called("toolu_1", "market__get_risk", instrument="SPX")]
    ) as api:
        reply = asked(api)
    assert reply.message.tool_calls == [
        {"name": "market__get_risk", "args": {"instrument": "SPX"}, "id": "toolu_1", "type": "tool_call"}
    ]


def test_a_model_that_may_not_call_is_told_so() -> None:
    with anthropic_api(lambda _: said("x")) as api:
        asked(api, may_call=False)
    assert api.requests[0]["tool_choice"] == {"type": "none"}
    assert len(api.requests[0]["tools"]) == 2


@pytest.mark.parametrize("status", [429, 529, 500])
def test_a_busy_service_is_asked_again_after_growing_pauses(status: int) -> None:
    pauses = Pauses()
    with anthropic_api(lambda _: said("at last"), failures=[status, status]) as api:
        reply = asked(api, pauses)
    assert (reply.message.text, reply.degraded) == ("at last", "")
    assert pauses == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S]


def test_a_stream_that_breaks_off_is_asked_again() -> None:
    with anthropic_api(lambda _: said("the whole answer at last"), breaks_streams=1) as api:
        reply = asked(api)
    assert (reply.message.text, reply.degraded) == ("the whole answer at last", "")


def test_after_the_last_attempt_the_embedded_planner_answers_and_says_why() -> None:
    pauses = Pauses()
    with anthropic_api(lambda _: said("never"), failures=[529] * MOST_ATTEMPTS) as api:
        reply = asked(api, pauses)
    assert (reply.model, reply.degraded) == (NAME, "it is overloaded")
    assert {call["name"] for call in reply.message.tool_calls} == {offer["name"] for offer in OFFERS}
    assert len(pauses) == MOST_ATTEMPTS - 1


def test_a_refused_key_is_not_tried_again() -> None:
    pauses = Pauses()
    with anthropic_api(lambda _: said("never"), failures=[401]) as api:
        reply = asked(api, pauses)
    assert (reply.degraded, len(api.requests), pauses) == ("it does not accept the key", 1, [])


def test_an_unreachable_service_degrades() -> None:
    api = FakeAnthropic(lambda _: [], url="http://127.0.0.1:9")
    assert asked(api).degraded == "it could not be reached"


def test_once_degraded_claude_is_not_asked_again() -> None:
    with anthropic_api(lambda _: said("never")) as api:
        reply = asked(api, degraded="it is overloaded")
    assert (reply.model, reply.degraded, api.requests) == (NAME, "it is overloaded", [])


def test_two_runs_of_one_process_each_have_their_own_connections() -> None:
    with anthropic_api(lambda _: said("again")) as api:
        assert [asked(api).message.text for _ in range(2)] == ["again", "again"]


def test_the_key_is_in_no_representation() -> None:
    model = choose_model(SETTINGS, {"ANTHROPIC_API_KEY": SECRET})
    assert SECRET not in repr(model) + str(model)
    asyncio.run(model.close())
