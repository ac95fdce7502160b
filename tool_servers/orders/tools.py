"""The orders server's tools: propose, ask to cancel, report. None of them places an order."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from tool_servers.limits_answer import LimitsAnswer, limits_answer
from tool_servers.orders.answers import DecisionAnswer, Orders, Portfolio
from tool_servers.orders.counter import Counter
from tool_servers.orders.proposal import Proposal
from tool_servers.toolspec import READS, Conduct, ToolDefinition
from when_to_invest.execution_text import parse_execution
from when_to_invest.history import DecisionState
from when_to_invest.intents import RequestId, Side
from when_to_invest.money import parse_amount_usd

MOST_LISTED: Final = 50
Amount = Annotated[str, Field(max_length=40, description="USD as text, e.g. '2500'")]
Price = Annotated[str | None, Field(max_length=40, description="USD as text; default: reference ±100 bps")]
Id = Annotated[str, Field(max_length=24, description="instrument id, e.g. SPX")]
Request = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._:-]{1,80}$",
        description="your idempotency key: the same key is the same order",
    ),
]
Recommended = Annotated[
    str | None, Field(max_length=40, description="id from get_recommendation this order follows")
]
Plan = Annotated[
    str,
    Field(description="e.g. 'twap duration_s=3600 slices=12'; vwap, pov, iceberg, peg, shortfall, immediate"),
]
Decision = Annotated[str, Field(max_length=40, description="decision_id, d-…")]
INSTRUCTIONS: Final = (
    "Proposes orders to a gate that decides by fixed limits; nothing said here can loosen them. A "
    "proposal is approved, held for human signatures, or refused with every reason and what would pass."
)


def order_tools(counter: Counter) -> tuple[ToolDefinition, ...]:
    """Return the tools over one counter."""
    return (_propose(counter), _propose_worked(counter), *_decisions(counter), *_accounts(counter))


def _propose(counter: Counter) -> ToolDefinition:
    def propose_order(
        instrument: Id,
        side: Side,
        *,
        notional_usd: Amount,
        request_id: Request,
        limit_price_usd: Price = None,
        recommendation_id: Recommended = None,
    ) -> DecisionAnswer:
        limit = limit_price_usd
        proposal = Proposal(
            instrument=instrument,
            side=side,
            notional_usd=parse_amount_usd(notional_usd, name="notional_usd"),
            limit_price_usd=None if limit is None else parse_amount_usd(limit, name="limit_price_usd"),
            recommendation_id=recommendation_id,
            request_id=request_id,
        )
        return counter.propose(proposal)

    return ToolDefinition(
        name="propose_order",
        function=propose_order,
        description=(
            "Propose a limit order of about notional_usd; quantity is rounded down to whole lots. "
            "Answers approved (it is on its way), held (people must sign) or refused with reasons."
        ),
        conduct=Conduct(read_only=False, idempotent=True),
        summarise=_said,
    )


def _propose_worked(counter: Counter) -> ToolDefinition:
    def propose_worked_order(
        instrument: str,
        side: Side,
        *,
        notional_usd: str,
        request_id: RequestId,
        execution: Plan,
        recommendation_id: str | None = None,
    ) -> DecisionAnswer:
        proposal = Proposal(
            instrument=instrument,
            side=side,
            notional_usd=parse_amount_usd(notional_usd, name="notional_usd"),
            limit_price_usd=None,
            recommendation_id=recommendation_id,
            request_id=request_id,
            execution=parse_execution(execution),
        )
        return counter.propose(proposal)

    return ToolDefinition(
        name="propose_worked_order",
        function=propose_worked_order,
        description="As propose_order at the default limit, sent in parts over time.",
        conduct=Conduct(read_only=False, idempotent=True),
        summarise=_said,
        is_schema_published=False,
    )


def _said(answer: DecisionAnswer) -> str:
    intent = answer.intent
    what = f"{intent.side.value} {intent.quantity} {intent.instrument} at {intent.limit_price_usd} USD"
    what = f"{what}, {intent.execution}" if intent.execution else what
    verdict = answer.verdict or "not judged"
    reasons = "; ".join(f"{reason.code}: {reason.fix}" for reason in answer.reasons)
    waiting = f", {answer.approvals_needed} approval(s) needed" if verdict == "held" else ""
    told = f"{answer.decision_id}: {what}: {verdict}{waiting}, state {answer.state}"
    return f"{told}. {reasons}" if reasons else told


def _decisions(counter: Counter) -> tuple[ToolDefinition, ...]:
    def get_order(decision_id: Decision) -> DecisionAnswer:
        return counter.get(decision_id)

    def list_orders(
        state: DecisionState | None = None,
        limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 20,
    ) -> Orders:
        return counter.list_orders(state=state, limit=limit)

    def request_cancel(decision_id: Decision) -> DecisionAnswer:
        return counter.cancel(decision_id)

    return (
        ToolDefinition(
            name="get_order",
            function=get_order,
            description="One decision: verdict, reasons, approvals, fills and history, as propose_order.",
            conduct=READS,
            summarise=_said,
            is_schema_published=False,
        ),
        ToolDefinition(
            name="list_orders",
            function=list_orders,
            description="Decisions, newest first, in one state or all.",
            conduct=READS,
            summarise=lambda answer: f"{len(answer.orders)} of {answer.total} decisions",
        ),
        ToolDefinition(
            name="request_cancel",
            function=request_cancel,
            description="Ask for the unfilled rest of a decision to be cancelled. Fills stay.",
            conduct=Conduct(read_only=False, destructive=True, idempotent=True),
            summarise=_said,
            is_schema_published=False,
        ),
    )


def _note(halts: tuple[str, ...]) -> str:
    note = "Every proposal is checked against all of these; configuration can only tighten them."
    return f"{note} Halted now: {'; '.join(halts)}." if halts else note


def _accounts(counter: Counter) -> tuple[ToolDefinition, ...]:
    def get_portfolio() -> Portfolio:
        return counter.portfolio()

    def explain_limits() -> LimitsAnswer:
        return limits_answer(
            counter.limits(),
            are_writes_enabled=True,
            note=_note(counter.portfolio().halts),
        )

    return (
        ToolDefinition(
            name="get_portfolio",
            function=get_portfolio,
            description="Cash, holdings at the newest known price, and what open orders reserve.",
            conduct=READS,
            summarise=lambda answer: (
                f"{answer.account} ({answer.mode}, {answer.trading_state}): cash {answer.cash_usd} USD, "
                f"{len(answer.positions)} positions, equity {answer.equity_usd} USD"
            ),
        ),
        ToolDefinition(
            name="explain_limits",
            function=explain_limits,
            description="All limits the gate enforces, with units and meaning.",
            conduct=READS,
            summarise=lambda answer: f"{len(answer.limits)} limits, hash {answer.limits_hash[:12]}",
        ),
    )
