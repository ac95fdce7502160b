"""The operator's door for amendments: a plain HTTP route that needs the operator's token.

It is no MCP tool: what an agent may want less of, it cancels.
"""

from __future__ import annotations

from typing import Final

from tool_servers.assembly import ToolServer
from tool_servers.orders.amending import Amendment, amend
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.routes import Answer, guarded
from when_to_invest.money import PositiveDecimal
from when_to_invest.values import DecisionId, Value

OPERATOR: Final = "operator"


class AmendmentAsked(Value):
    """What the operator wants of one order; what is left out stays as it is."""

    decision_id: DecisionId
    quantity: PositiveDecimal | None = None
    limit_price_usd: PositiveDecimal | None = None


def add_amend_route(server: ToolServer, desk: ProposalDesk) -> None:
    """Add `POST /amendments`."""

    def take(body: bytes) -> Answer:
        told = AmendmentAsked.model_validate_json(body)
        wanted = Amendment(told.decision_id, told.quantity, told.limit_price_usd)
        return amend(desk, wanted, caller=OPERATOR).model_dump(mode="json")

    server.custom_route("/amendments", methods=["POST"])(guarded(take))
