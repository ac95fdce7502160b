"""The operator's door for dead letters: plain HTTP routes that need the operator's token.

They are no MCP tools, so no model can be talked into calling them.
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from tool_servers.assembly import ToolServer
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.redrive import LetterDesk
from tool_servers.orders.routes import Answer, guarded
from tool_servers.untrusted import plain_text
from when_to_invest.values import Value

OPERATOR: Final = "operator"


class LetterAnswer(Value):
    """What the operator says to one letter."""

    message_id: str = Field(max_length=200)
    why: str = Field(default="", max_length=200)


def add_letter_routes(server: ToolServer, desk: ProposalDesk) -> None:
    """Add `POST /dead-letters/redrive` and `POST /dead-letters/discard`."""
    letters = LetterDesk(desk)

    def redrive(body: bytes) -> Answer:
        told = LetterAnswer.model_validate_json(body)
        answer = letters.redrive(told.message_id, by=OPERATOR, why=plain_text(told.why))
        return answer.model_dump(mode="json")

    def discard(body: bytes) -> Answer:
        told = LetterAnswer.model_validate_json(body)
        letter = letters.discard(told.message_id, by=OPERATOR, why=plain_text(told.why))
        return {"message_id": letter.arrived.message_id, "answer": "discarded"}

    server.custom_route("/dead-letters/redrive", methods=["POST"])(guarded(redrive))
    server.custom_route("/dead-letters/discard", methods=["POST"])(guarded(discard))
