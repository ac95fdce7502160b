"""How well orders were executed, for people: costs with their signs, times, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.cards import usd
from executor.quality.figures import Figure, Missing
from executor.quality.passages import Stage
from when_to_invest.money import decimal_text

if TYPE_CHECKING:
    from executor.quality.analysis import Analysis
    from executor.quality.measures import DecisionMeasures
    from executor.quality.summaries import Mean, Rate, Spread, Summary

_FEW: Final = 12
"""Decisions shown in the table of all; the newest."""
_MINUTE, _HOUR, _DAY = Decimal(60), Decimal(3600), Decimal(86_400)


def bps(figure: Figure) -> str:
    """Return a cost with its sign, or that it is unknown."""
    return "unknown" if isinstance(figure, Missing) else f"{figure:+,.2f} bps"


def lasted(figure: Figure) -> str:
    """Return a duration in the unit that people would use."""
    if isinstance(figure, Missing):
        return "unknown"
    for unit, size in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if figure >= size:
            return f"{figure / size:.1f} {unit}"
    if not figure:
        return "0 s"
    return f"{figure:.2f} s" if figure >= 1 else f"{1000 * figure:.3g} ms"


def ratio(figure: Figure) -> str:
    """Return a share in hundredths."""
    return "unknown" if isinstance(figure, Missing) else f"{figure:.1%}"


def money(figure: Figure) -> str:
    """Return an amount, or that it is unknown."""
    return "unknown" if isinstance(figure, Missing) else usd(figure)


def analysis_card(found: Analysis) -> Panel:
    """Return the account of all decisions."""
    if not found.decisions:
        return Panel(Text("nothing was sealed in that time", style="dim"), title="execution", expand=False)
    closes = found.total.orders - found.total.quoted
    basis = f"{closes} of {found.total.orders} orders had no quote at arrival: the last close stands for it"
    parts: list[RenderableType] = [_alarm_lines(found), Text(""), _costs(found), Text(""), _rates(found)]
    parts.append(Text(basis if closes else "", style="dim"))
    parts += [_shortfall_line(found), Text(""), _hop_table(found.hops.items()), Text("")]
    parts += [_decision_table(found.decisions[-_FEW:]), *_limit_lines(found)]
    title = Text.assemble(
        ("execution", "bold"), f"  {len(found.decisions)} decisions, {found.total.orders} orders"
    )
    return Panel(Group(*parts), title=title, title_align="left", expand=False)


def measures_card(found: DecisionMeasures) -> Panel:
    """Return one decision: what it cost, part by part, and how long each hop took."""
    table = _plain("what", "measured", "of what was decided")
    fall = found.shortfall
    for words, part in (
        ("delay: from the decision to the first order", fall.delay_usd),
        ("execution: against the price at arrival", fall.execution_usd),
        ("missed: what did not trade", fall.opportunity_usd),
        ("fees", fall.fees_usd),
        ("implementation shortfall", fall.total_usd),
    ):
        table.add_row(words, money(part), bps(fall.in_bps(part)))
    parts: list[RenderableType] = [table, Text(""), *execution_lines(found)]
    parts += [Text(f"not known: {why}", style="dim") for why in _reasons(found)]
    return Panel(Group(*parts), title=Text(found.decision_id, style="bold"), title_align="left", expand=False)


def execution_lines(found: DecisionMeasures) -> list[Text]:
    """Return a decision's slippage and times, a line each."""
    arrival = (
        "" if isinstance(found.arrival, Missing) else f" ({found.arrival.basis.value.replace('_', ' ')})"
    )
    lines = [
        Text.assemble(
            ("slippage  ", "dim"),
            f"{bps(found.arrival_slippage_bps)} against arrival{arrival}, ",
            f"{bps(found.vwap_slippage_bps)} against the market's average",
        )
    ]
    hops = [(stage, took) for stage, took in found.hops_s.items() if isinstance(took, Decimal)]
    if hops:
        words = " → ".join(f"{stage.value.replace('_', ' ')} {lasted(took)}" for stage, took in hops)
        lines.append(Text.assemble(("latency   ", "dim"), words))
    doubts = [order for order in found.orders if order.is_unknown and order.unknown_age_s is not None]
    lines += [
        Text(
            f"unknown   {order.client_order_id} for {lasted(order.unknown_age_s or Decimal(0))}",
            style="bold magenta",
        )
        for order in doubts
    ]
    return lines


def _reasons(found: DecisionMeasures) -> list[str]:
    figures = {
        "slippage against arrival": found.arrival_slippage_bps,
        "slippage against the market's average": found.vwap_slippage_bps,
        "implementation shortfall": found.shortfall.total_usd,
    }
    return [f"{name}: {each.why}" for name, each in figures.items() if isinstance(each, Missing)]


def _plain(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    return table


def _alarm_lines(found: Analysis) -> RenderableType:
    if not found.alarms:
        return Text("nothing abnormal in the last 15 minutes", style="dim")
    return Group(
        *(
            Text(
                f"{each.kind.value.replace('_', ' ')} of {each.scope}: "
                f"{round(each.measured, 4):f} {each.unit}, "
                f"{decimal_text(each.bound)} is the bound; {each.what_to_do}",
                style="bold red",
            )
            for each in found.alarms
        )
    )


def _costs(found: Analysis) -> Table:
    """Return what each group of orders cost, in basis points."""
    table = _plain("bps", "orders", "arrival", "95 % range", "market's average", "fees")
    for each in _rows(found):
        arrival, average = each.arrival_slippage, each.vwap_slippage
        costs = (
            _plain_bps(arrival.value),
            _range(arrival),
            _plain_bps(average.value),
            _plain_bps(each.fees.value),
        )
        table.add_row(each.name, str(each.orders), *costs)
    return table


def _rates(found: Analysis) -> Table:
    """Return how surely and how soon each group of orders was taken and filled."""
    table = _plain("", "filled in full", "rejected", "half acknowledged within")
    for each in _rows(found):
        acknowledged = each.latency_s[Stage.ACKNOWLEDGED]
        table.add_row(each.name, _rate(each.filled), _rate(each.rejected), lasted(acknowledged.p50_s))
    return table


def _rows(found: Analysis) -> tuple[Summary, ...]:
    return (found.total, *found.venues, *found.instruments)


def _plain_bps(figure: Figure) -> str:
    return "unknown" if isinstance(figure, Missing) else f"{figure:+,.2f}"


def _range(found: Mean) -> str:
    interval = found.interval
    return interval.why if isinstance(interval, Missing) else f"{interval.low:+.1f} to {interval.high:+.1f}"


def _rate(found: Rate) -> str:
    return f"{ratio(found.ratio)} of {found.count}"


def _shortfall_line(found: Analysis) -> Text:
    parts = found.shortfall
    if not parts.count:
        return Text("implementation shortfall: unknown for every decision", style="dim")
    words = f"implementation shortfall {usd(parts.total_usd)} over {parts.count} decisions: "
    each = (
        ("delay", parts.delay_usd),
        ("execution", parts.execution_usd),
        ("missed", parts.opportunity_usd),
        ("fees", parts.fees_usd),
    )
    return Text(words + ", ".join(f"{name} {usd(amount)}" for name, amount in each))


def _hop_table(hops: Iterable[tuple[Stage, Spread]]) -> Table:
    table = _plain("hop", "half within", "99 of 100 within", "known")
    for stage, spread in hops:
        name = f"until {stage.value.replace('_', ' ')}"
        table.add_row(name, lasted(spread.p50_s), lasted(spread.p99_s), str(spread.count))
    return table


def _decision_table(decisions: Iterable[DecisionMeasures]) -> Table:
    table = _plain("decision", "filled", "against arrival", "shortfall")
    for each in decisions:
        table.add_row(
            each.decision_id,
            ratio(each.fill_ratio),
            bps(each.arrival_slippage_bps),
            bps(each.shortfall.total_bps),
        )
    return table


def _limit_lines(found: Analysis) -> list[RenderableType]:
    near = [each for each in found.limits if each.is_near]
    return [
        Text(
            f"near its limit: {each.limit}, {decimal_text(round(each.used, 2))} "
            f"of {decimal_text(each.allowed)}",
            style="bold yellow",
        )
        for each in near
    ]
