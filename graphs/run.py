"""One question from a person to a vetted answer: assembles the agent and runs its graph.

This process holds a caller's token for the reading and proposing services and, when there
is one, a language model's key. It can sign, send and write nothing.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from agents.guards import warm_up
from agents.models import choose_model
from agents.request import Request
from agents.toolbox import open_toolbox
from agents.transcript import Turn, opening_message
from graphs.answer import AgentAnswer, answer_of
from graphs.awaiting import KEEP_WAITING, REPORT_NOW, Patience
from graphs.services import running_services
from graphs.threads import open_threads
from home.paths import Home
from home.settings import read_settings
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import StateSnapshot

    from agents.connections import Target
    from graphs.state import ThreadState

    Graph = CompiledStateGraph[ThreadState, None, ThreadState, ThreadState]

_SUPERSTEPS_A_STEP: Final = 3
_SPARE_SUPERSTEPS: Final = 10


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run takes from outside: environment, services, and how it waits.

    `services` none means the running ones of the home.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    services: Mapping[str, Target] | None = None
    patience: Patience = field(default_factory=Patience)


def fresh_thread() -> str:
    """Return a name for a new conversation."""
    return f"t-{secrets.token_hex(8)}"


async def ask(
    home: Home,
    question: str,
    *,
    instrument: str,
    budget_usd: Decimal | None = None,
    horizon_days: int = 21,
    may_propose: bool = False,
    thread_id: str | None = None,
    as_of: str | None = None,
    is_once: bool = False,
    surroundings: Surroundings | None = None,
) -> AgentAnswer:
    """Answer one question; with `may_propose` and a budget, propose the order it calls for.

    The same `thread_id` continues a conversation: what a crash or a held proposal left
    unfinished is finished first, without repeating a proposal. With `is_once`, a question
    that this thread has answered is not asked again.

    Raises:
        Fault: `bad_argument`, `service_unavailable`, `unauthenticated`, or what the market
            server says of the instrument or date.
    """
    try:
        request = Request(
            question=question,
            instrument=instrument,
            budget_usd=budget_usd,
            horizon_days=horizon_days,
            may_propose=may_propose,
            as_of=as_of,
        )
    except ValidationError as error:
        raise _unusable(error) from error
    thread = thread_id or fresh_thread()
    async with open_graph(home, surroundings or Surroundings()) as graph:
        conversation = _Conversation(graph, thread, _most_supersteps(home))
        await conversation.hear(request, is_once=is_once)
        return answer_of(thread, await conversation.state())


def ask_sync(home: Home, question: str, **bounds: Any) -> AgentAnswer:
    """Answer one question from code that runs no event loop; see `ask`."""
    return asyncio.run(ask(home, question, **bounds))


def _unusable(error: ValidationError) -> Fault:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    return Fault(ErrorCode.BAD_ARGUMENT, f"{name}: {first['msg']}", fix=f"correct {name}")


def _most_supersteps(home: Home) -> int:
    return _SUPERSTEPS_A_STEP * read_settings(home).agent.max_steps + _SPARE_SUPERSTEPS


@asynccontextmanager
async def open_graph(home: Home, surroundings: Surroundings) -> AsyncIterator[Graph]:
    """Connect to the services, the model and the threads, and wire the graph over them.

    Raises:
        Fault: see `ask`.
    """
    settings = read_settings(home)
    targets = surroundings.services
    async with AsyncExitStack() as stack:
        toolbox = await stack.enter_async_context(
            open_toolbox(running_services(home) if targets is None else targets)
        )
        # Imported while the services answer, not before they are known to be there.
        from graphs.recommend import Parts, build_graph

        threads = await stack.enter_async_context(open_threads(home.make().threads))
        model = choose_model(settings.agent, surroundings.environment, pause=surroundings.patience.pause)
        stack.push_async_callback(model.close)
        parts = Parts(toolbox, model, settings.agent.max_steps, surroundings.patience)
        graph = build_graph(parts, checkpointer=threads)
        # The guard's library loads while the services work on the first calls.
        warming = asyncio.create_task(asyncio.to_thread(warm_up))
        try:
            yield graph
        finally:
            await warming


class _Conversation:
    """One thread of a graph: finishes what is unfinished, then hears the next question."""

    def __init__(self, graph: Graph, thread_id: str, most_supersteps: int) -> None:
        self._graph = graph
        self._config: RunnableConfig = {
            "configurable": {"thread_id": thread_id},
            "recursion_limit": most_supersteps,
        }

    async def state(self) -> ThreadState:
        """Return what the thread remembers."""
        values: ThreadState = (await self._graph.aget_state(self._config)).values  # type: ignore[assignment]
        return values

    async def hear(self, request: Request, *, is_once: bool) -> None:
        """Bring the thread to where `request` is answered or waits for a person."""
        from graphs.state import new_turn

        snapshot = await self._graph.aget_state(self._config)
        is_same = _is_same(snapshot, request)
        if snapshot.next:
            await self._finish(snapshot, is_same=is_same)
            if is_same:
                return
        elif is_once and is_same and snapshot.values.get("report"):
            return
        await self._run(new_turn(opening_message(request)))

    async def _finish(self, snapshot: StateSnapshot, *, is_same: bool) -> None:
        """Continue an unfinished turn; a held proposal is waited for only when asked about."""
        from langgraph.types import Command

        if not snapshot.interrupts:
            await self._run(None)
            return
        await self._run(Command(resume=KEEP_WAITING if is_same else REPORT_NOW))

    async def _run(self, given: Any) -> None:
        # Every step is on disk before the next begins: a crash repeats at most one.
        await self._graph.ainvoke(given, self._config, durability="sync")


def _is_same(snapshot: StateSnapshot, request: Request) -> bool:
    messages = snapshot.values.get("messages") or []
    return bool(messages) and Turn.latest(messages).request == request
