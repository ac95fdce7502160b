"""Runs of the whole agent in a fresh home, over services in memory and without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from graphs.answer import AgentAnswer
from graphs.awaiting import Patience
from graphs.run import Surroundings, ask, open_graph
from graphs.state import ThreadState
from home.paths import Home
from tests.fakes.agent_services import FakeMarket, FakeOrders


@dataclass
class Pauses:
    """Counts the pauses that were asked for and takes none of them."""

    asked_s: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)


@dataclass
class Desk:
    """A home with fake services; the environment holds what the test puts there."""

    root: Path
    market: FakeMarket = field(default_factory=FakeMarket)
    orders: FakeOrders = field(default_factory=FakeOrders)
    environment: Mapping[str, str] = field(default_factory=dict)
    pauses: Pauses = field(default_factory=Pauses)

    @property
    def home(self) -> Home:
        return Home(self.root)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            environment=self.environment,
            services={"market": self.market.server(), "orders": self.orders.server()},
            patience=Patience(pause=self.pauses),
        )

    def ask(self, question: str = "Is now the time?", **bounds: Any) -> AgentAnswer:
        given = {
            "instrument": "SPX",
            "budget_usd": Decimal(10_000),
            "may_propose": True,
            "thread_id": "t1",
            "surroundings": self.surroundings,
        }
        return asyncio.run(ask(self.home, question, **{**given, **bounds}))

    def remembered(self, thread_id: str = "t1") -> ThreadState:
        async def read() -> ThreadState:
            async with open_graph(self.home, self.surroundings) as graph:
                return (await graph.aget_state({"configurable": {"thread_id": thread_id}})).values  # type: ignore[return-value]

        return asyncio.run(read())
