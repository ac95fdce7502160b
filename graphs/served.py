"""The graph for LangGraph's own tools (`langgraph.json`): the home's services, one run each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from graphs.run import Surroundings, open_graph
from home.paths import home_at

if TYPE_CHECKING:
    from graphs.run import Graph


@asynccontextmanager
async def recommend() -> AsyncIterator[Graph]:
    """Yield the graph over the services of the home that the environment names."""
    async with open_graph(home_at(None), Surroundings()) as graph:
        yield graph
