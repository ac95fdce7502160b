"""A market and an orders server in memory: the real tools' names and shapes, figures chosen here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent, ToolAnnotations

from tests.fakes.recommendations import recommendation
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.errors import Fault
from when_to_invest.intents import decision_id_of

READS = ToolAnnotations(read_only_hint=True)
REASON = {
    "code": "order_too_large",
    "rule": "order_notional",
    "limit": "25000",
    "attempted": "30000",
    "overage": "5000",
    "unit": "usd",
    "fix": "propose at most 25000 USD",
}


def result(told: dict[str, Any], text: str = "told") -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=told)


def failure(fault: Fault) -> CallToolResult:
    told = {"error": fault.as_json()}
    text = TextContent(type="text", text=json.dumps(told))
    return CallToolResult(content=[text], structured_content=told, is_error=True)


@dataclass
class FakeMarket:
    """Answers with `answer`, or fails with `fault`; `words` are put into every text."""

    answer: Recommendation = field(default_factory=recommendation)
    fault: Fault | None = None
    words: str = "told"
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def _told(self, name: str, arguments: dict[str, Any], told: dict[str, Any]) -> CallToolResult:
        self.calls.append((name, arguments))
        return failure(self.fault) if self.fault else result(told, self.words)

    def server(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("market", log_level="ERROR")

        @server.tool(annotations=READS, structured_output=False)
        def get_recommendation(
            instrument: str, horizon_days: int = 21, as_of: str | None = None, held_fraction: float = 0.0
        ) -> CallToolResult:
            """Whether, how much, what would change it."""
            asked = {"instrument": instrument, "horizon_days": horizon_days, "as_of": as_of}
            asked |= {"held_fraction": held_fraction} if held_fraction else {}
            return self._told("get_recommendation", asked, self.answer.model_dump(mode="json"))

        @server.tool(annotations=READS, structured_output=False)
        def get_risk(instrument: str, horizon_days: int = 21, as_of: str | None = None) -> CallToolResult:
            """Risk."""
            told = {"instrument": instrument, "sigma_annual": self.answer.sigma_annual, "note": self.words}
            return self._told("get_risk", {"instrument": instrument}, told)

        @server.tool(annotations=READS, structured_output=False)
        def get_breakers(instrument: str, as_of: str | None = None) -> CallToolResult:
            """Breakers."""
            return self._told(
                "get_breakers", {"instrument": instrument}, {"breakers": [], "name": self.words}
            )

        return server


@dataclass
class FakeOrders:
    """Decides every proposal with `verdict`; the same request id is the same decision."""

    verdict: str = "approved"
    final_state: str = "filled"
    reads_until_final: int = 1
    words: str = "told"
    positions: list[dict[str, Any]] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: int = 0
    cancels: int = 0

    def approve(self) -> None:
        """Let a person approve everything that is held."""
        for told in self.decisions.values():
            told["state"] = "queued"
            told["verdict"] = "approved"

    def _decision(self, asked: dict[str, Any]) -> dict[str, Any]:
        state = {"approved": "queued", "held": "held", "refused": "refused"}[self.verdict]
        return {
            "decision_id": decision_id_of(proposer="agent", request_id=asked["request_id"]),
            "state": state,
            "verdict": self.verdict,
            "reasons": [REASON] if self.verdict != "approved" else [],
            "intent": {
                "instrument": asked["instrument"],
                "side": asked["side"],
                "quantity": "1.58",
                "limit_price_usd": "2531.91",
            },
            "filled_size": "0",
        }

    def server(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("orders", log_level="ERROR")
        self._add_writing(server)
        self._add_reading(server)
        return server

    def _add_writing(self, server: MCPServer[Any]) -> None:
        @server.tool(annotations=ToolAnnotations(read_only_hint=False), structured_output=False)
        def propose_order(  # noqa: PLR0917 - the tool's own arguments
            instrument: str,
            side: str,
            notional_usd: str,
            request_id: str,
            limit_price_usd: str | None = None,
            recommendation_id: str | None = None,
        ) -> CallToolResult:
            """Propose."""
            asked = {
                "instrument": instrument,
                "side": side,
                "notional_usd": notional_usd,
                "request_id": request_id,
            }
            asked |= {"limit_price_usd": limit_price_usd, "recommendation_id": recommendation_id}
            self.proposals.append(asked)
            told = self._decision(asked)
            self.decisions.setdefault(told["decision_id"], told)
            return result(self.decisions[told["decision_id"]])

        @server.tool(
            annotations=ToolAnnotations(read_only_hint=False, destructive_hint=True), structured_output=False
        )
        def request_cancel(decision_id: str) -> CallToolResult:
            """Cancel."""
            self.cancels += 1
            return result(self.decisions[decision_id])

    def _add_reading(self, server: MCPServer[Any]) -> None:
        @server.tool(annotations=READS, structured_output=False)
        def get_order(decision_id: str) -> CallToolResult:
            """Status."""
            self.reads += 1
            told = self.decisions[decision_id]
            if told["state"] == "queued" and self.reads >= self.reads_until_final:
                told = {**told, "state": self.final_state, "filled_size": "1.58"}
            return result(told)

        @server.tool(annotations=READS, structured_output=False)
        def get_portfolio() -> CallToolResult:
            """Account."""
            return result({"cash_usd": "100000", "positions": self.positions, "note": self.words}, self.words)

        @server.tool(annotations=READS, structured_output=False)
        def explain_limits() -> CallToolResult:
            """Limits."""
            row = {"name": "order_notional_usd", "value": "25000", "unit": "USD", "meaning": "most per order"}
            return result({"limits": [row]})
