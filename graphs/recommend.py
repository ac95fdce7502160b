"""The graph of one question. Its nodes are the stages that `when_to_invest.flow` names.

plan ─► gather ─► recommend ─► plan …          (every tool call a task of its own)
     ─► propose ─► await ─► plan …
     ─► report
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from agents.models import LanguageModel
from agents.toolbox import Toolbox
from graphs.acting import GatherStage, ProposeStage
from graphs.awaiting import AwaitStage, Patience
from graphs.planning import PlanStage
from graphs.reporting import ReportStage, after_recommendation, settle_recommendation
from graphs.state import ThreadState, ToolTask

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph


@dataclass(frozen=True, slots=True)
class Parts:
    """What the stages work with."""

    toolbox: Toolbox
    model: LanguageModel
    most_steps: int
    patience: Patience = field(default_factory=Patience)


def build_graph(
    parts: Parts, *, checkpointer: BaseCheckpointSaver[Any] | None
) -> CompiledStateGraph[ThreadState, None, ThreadState, ThreadState]:
    """Wire the stages; with a checkpointer every step can be resumed in another process."""
    plan = PlanStage(parts.toolbox, parts.model, most_steps=parts.most_steps)
    graph = StateGraph(ThreadState)
    graph.add_node("plan", plan.__call__)
    graph.add_node("gather", GatherStage(parts.toolbox).__call__, input_schema=ToolTask)
    graph.add_node("recommend", settle_recommendation)
    graph.add_node("propose", ProposeStage(parts.toolbox).__call__, input_schema=ToolTask)
    graph.add_node("await", AwaitStage(parts.toolbox, parts.patience).__call__)
    graph.add_node("report", ReportStage(parts.toolbox, parts.model).__call__)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", plan.route, ["gather", "propose", "report", END])
    graph.add_edge("gather", "recommend")
    graph.add_conditional_edges("recommend", after_recommendation, ["plan", END])
    graph.add_edge("propose", "await")
    graph.add_edge("await", "plan")
    graph.add_edge("report", END)
    return graph.compile(checkpointer=checkpointer)
