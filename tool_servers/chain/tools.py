"""The chain server's tools: balances and limits. There is none that writes."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from policies.limits import Limits
from tool_servers.chain.reader import Balances, ChainReader
from tool_servers.limits_answer import LimitsAnswer, limits_answer
from tool_servers.toolspec import READS, ToolDefinition

INSTRUCTIONS: Final = (
    "Reads balances on an embedded test chain that lives in this process; nothing on it has value. "
    "Transfers and swaps are not enabled in this version."
)
ChainAddress = Annotated[
    str | None,
    Field(max_length=42, description="0x address; default: the test account"),
]


def chain_tools(reader: ChainReader, *, limits: Limits) -> tuple[ToolDefinition, ...]:
    """Return the tools over one chain."""

    def get_balances(address: ChainAddress = None) -> Balances:
        return reader.balances(address)

    def explain_limits() -> LimitsAnswer:
        return limits_answer(
            limits,
            are_writes_enabled=False,
            note="Writes to a chain are not enabled in this version: no limit could allow one.",
        )

    return (
        ToolDefinition(
            name="get_balances",
            function=get_balances,
            description="Native and token balances of an address on the embedded test chain.",
            conduct=READS,
            summarise=lambda answer: (
                f"{answer.address} on the {answer.chain}: "
                + ", ".join(f"{row.amount} {row.symbol}" for row in answer.balances)
            ),
        ),
        ToolDefinition(
            name="explain_limits",
            function=explain_limits,
            description="All limits the gate enforces; chain writes are not enabled in this version.",
            conduct=READS,
            summarise=lambda answer: f"writes not enabled; {len(answer.limits)} limits",
            is_schema_published=False,
        ),
    )
