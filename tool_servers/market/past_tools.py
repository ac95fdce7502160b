"""The market server's tools that look back. Both read only, tell their progress, and can be ended."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tool_servers.market.past import Historian, Span
from tool_servers.market.past_answers import BacktestAnswer, ScorecardAnswer, StrategyName
from tool_servers.toolspec import READS, ToolDefinition
from tool_servers.watch import Watch

Id = Annotated[str, Field(max_length=24)]
Day = Annotated[str | None, Field(max_length=40, description="date")]
Fee = Annotated[float, Field(ge=0, le=1000)]


def past_tools(historian: Historian) -> tuple[ToolDefinition, ...]:
    """Return the tools over one historian."""
    return (_backtest(historian), _scorecard(historian))


def _backtest(historian: Historian) -> ToolDefinition:
    def run_backtest(
        instrument: Id,
        *,
        strategy: StrategyName,
        watch: Watch,
        start: Day = None,
        end: Day = None,
        fee_bps: Fee = 5.0,
    ) -> BacktestAnswer:
        return historian.backtest(instrument, strategy, span=Span(start, end), fee_bps=fee_bps, watch=watch)

    return ToolDefinition(
        name="run_backtest",
        function=run_backtest,
        description=(
            "What a strategy would have done, next-open fills, after costs, beside buying and holding, "
            "by sub-period. `decision` follows get_recommendation (slow: give a few years). One past, "
            "no promise."
        ),
        conduct=READS,
        summarise=_ran,
        is_schema_published=False,
    )


def _scorecard(historian: Historian) -> ToolDefinition:
    def get_scorecard(instrument: Id | None = None, as_of: Day = None, *, watch: Watch) -> ScorecardAnswer:
        return historian.scorecard(instrument, as_of, watch=watch)

    return ToolDefinition(
        name="get_scorecard",
        function=get_scorecard,
        description=(
            "How past recommendations did against what came: Brier skill of odds, how often ranges held."
        ),
        conduct=READS,
        summarise=_scored,
        is_schema_published=False,
    )


def _ran(answer: BacktestAnswer) -> str:
    behind = sum(period.is_behind for period in answer.periods)
    return (
        f"{answer.strategy.value} on {answer.instrument}: Sharpe {answer.result.sharpe}, buying and "
        f"holding {answer.buy_and_hold.sharpe}; behind it in {behind} of {len(answer.periods)} periods"
    )


def _scored(answer: ScorecardAnswer) -> str:
    of = answer.instrument or "all instruments"
    return f"{answer.count} recommendations of {of} scored as of {answer.as_of}"
