"""Which language model plans: Claude when a key is given, else the embedded planner.

Stage: plan and report (LLM shell). When Claude does not answer after the retries, the
embedded planner takes the rest of the turn, and the reply says so. The key is read from
the environment handed in, goes to the client, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agents.planner import NAME, EmbeddedPlanner
from agents.prompts import SYSTEM
from agents.transcript import conversation
from home.settings import AgentSettings

if TYPE_CHECKING:
    from anthropic import APIError
    from langchain_anthropic import ChatAnthropic
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
    from langchain_core.runnables import Runnable

KEY_VARIABLE: Final = "ANTHROPIC_API_KEY"
URL_VARIABLE: Final = "ANTHROPIC_BASE_URL"
DEFAULT_URL: Final = "https://api.anthropic.com"
MOST_ATTEMPTS: Final = 4
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 20.0
RESPONSE_TIMEOUT_S: Final = 120.0
_CACHED: Final = {"type": "ephemeral"}
_RETRYABLE: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_RETRYABLE_KINDS: Final = frozenset({"overloaded_error", "rate_limit_error", "api_error"})
_WORDS: Final = {
    "overloaded_error": "it is overloaded",
    "rate_limit_error": "it asks to call less often",
    "authentication_error": "it does not accept the key",
    "permission_error": "it does not permit this model",
    "not_found_error": "it knows no such model",
}

ToolOffer = Mapping[str, Any]
"""A tool as a model sees it: `name`, `description`, `input_schema`."""
Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds; injected so that tests do not."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of a model; `degraded` says why the embedded planner wrote it instead."""

    message: AIMessage
    model: str
    degraded: str = ""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why Claude did not answer, in words without figures, and how long to wait."""

    words: str
    is_retryable: bool
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The model of a run. Without `claude` the embedded planner does all of it."""

    name: str
    claude: ChatAnthropic | None = None
    pause: Pause = asyncio.sleep

    async def respond(
        self,
        messages: Sequence[AnyMessage],
        offers: Sequence[ToolOffer],
        *,
        may_call: bool = True,
        degraded: str = "",
    ) -> Reply:
        """Return the next message; with `degraded` already set, Claude is not asked again.

        Without `may_call` the tools are still shown, as the transcript names them, but
        none may be called.
        """
        if self.claude is None or degraded:
            return await self._embedded(messages, offers, degraded=degraded)
        asked = [_system(), *conversation(messages)]
        choice = {"type": "auto" if may_call else "none"}
        bound = self.claude.bind_tools(_cached(offers), tool_choice=choice)
        failure = _Failure("the language model was not asked", is_retryable=True)
        for attempt in range(MOST_ATTEMPTS):
            outcome = await _attempt(bound, asked)
            if not isinstance(outcome, _Failure):
                return Reply(outcome, self.name)
            failure = outcome
            if not failure.is_retryable or attempt + 1 == MOST_ATTEMPTS:
                break
            await self.pause(failure.pause_s or min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt))
        return await self._embedded(messages, offers, degraded=failure.words)

    async def close(self) -> None:
        """Close the connections to the model's service, in the loop that opened them."""
        if self.claude is not None:
            await self.claude._async_client.close()  # noqa: SLF001 - the wrapper offers no other way

    async def _embedded(
        self, messages: Sequence[AnyMessage], offers: Sequence[ToolOffer], *, degraded: str
    ) -> Reply:
        planner = EmbeddedPlanner().bind_tools(offers)
        return Reply(await planner.ainvoke(list(messages)), NAME, degraded)


def choose_model(
    settings: AgentSettings, environment: Mapping[str, str], *, pause: Pause = asyncio.sleep
) -> LanguageModel:
    """Return Claude when `environment` holds its key, else the embedded planner.

    The client is made anew for each run: its connections belong to one event loop.
    """
    key = environment.get(KEY_VARIABLE, "").strip()
    if not key:
        return LanguageModel(NAME, pause=pause)
    return LanguageModel(settings.model, _claude(settings, environment, key=key), pause)


def _claude(settings: AgentSettings, environment: Mapping[str, str], *, key: str) -> ChatAnthropic:
    from anthropic import AsyncAnthropic
    from langchain_anthropic import ChatAnthropic
    from pydantic import SecretStr

    base_url = environment.get(URL_VARIABLE) or DEFAULT_URL
    claude = ChatAnthropic(
        model=settings.model,
        api_key=SecretStr(key),
        base_url=base_url,
        max_tokens=settings.max_tokens,
        streaming=True,
        max_retries=0,
        timeout=RESPONSE_TIMEOUT_S,
    )
    client = AsyncAnthropic(api_key=key, base_url=base_url, max_retries=0, timeout=RESPONSE_TIMEOUT_S)
    # The wrapper shares one cached HTTP client between event loops, which fails on the
    # second run of a process.
    claude.__dict__["_async_client"] = client
    return claude


def _system() -> SystemMessage:
    from langchain_core.messages import SystemMessage

    return SystemMessage(content=[{"type": "text", "text": SYSTEM, "cache_control": dict(_CACHED)}])


def _cached(offers: Sequence[ToolOffer]) -> list[dict[str, Any]]:
    """Mark the end of the tools, which no turn changes, as a prefix worth caching."""
    tools = [dict(offer) for offer in offers]
    tools[-1]["cache_control"] = dict(_CACHED)
    return tools


async def _attempt(
    bound: Runnable[LanguageModelInput, AIMessage], messages: list[AnyMessage]
) -> AIMessage | _Failure:
    import httpx2
    from anthropic import APIError

    try:
        return _plain(await bound.ainvoke(messages))
    except APIError as error:
        return _failure(error)
    except httpx2.HTTPError:
        return _Failure("its connection broke", is_retryable=True)


def _plain(message: AIMessage) -> AIMessage:
    """Return a streamed message without what only the stream needed."""
    from langchain_core.messages import AIMessage

    return AIMessage(
        content=message.text,
        tool_calls=message.tool_calls,
        id=message.id,
        usage_metadata=message.usage_metadata,
    )


def _failure(error: APIError) -> _Failure:
    response = getattr(error, "response", None)
    if response is None:
        return _Failure("it could not be reached", is_retryable=True)
    kind = _kind_of(error.body)
    is_retryable = response.status_code in _RETRYABLE or kind in _RETRYABLE_KINDS
    words = _WORDS.get(kind, "it failed" if is_retryable else "it refused the request")
    return _Failure(words, is_retryable=is_retryable, pause_s=_asked_pause_s(response.headers))


def _kind_of(body: object) -> str:
    told = body.get("error") if isinstance(body, dict) else None
    return str(told.get("type", "")) if isinstance(told, dict) else ""


def _asked_pause_s(headers: Mapping[str, str]) -> float:
    """Return how long the service asked to wait, within bounds; 0 when it did not."""
    try:
        asked_s = float(headers.get("retry-after") or 0)
    except ValueError:
        return 0.0
    return min(LONGEST_PAUSE_S, max(0.0, asked_s))
