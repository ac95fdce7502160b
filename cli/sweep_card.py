"""A sweep for people: what picking the best was worth, then the best."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from when_to_invest.backtest.sweep_report import Finalist, SweepReport


def sweep_card(found: SweepReport) -> RenderableType:
    """Return the whole answer; the verdict stands above the configurations."""
    title = Text(f"{found.strategy} on {found.instrument}: {found.configurations:,} configurations", "bold")
    span = f"{found.start[:10]} to {found.end[:10]}, {found.n:,} bars; {found.impossible:,} left out"
    verdict = Text(found.verdict, style="bold green" if found.is_beyond_luck else "bold red")
    return Group(title, Text(span, style="dim"), Text(), verdict, _luck(found), Text(), _best(found))


def _luck(found: SweepReport) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_row("configurations ever tried here (trials)", f"{found.trials:,}")
    table.add_row("Sharpe ratio that luck gives the best of them", _number(found.hurdle_sharpe))
    table.add_row("Sharpe ratio of buying and holding", _number(found.buy_and_hold_sharpe))
    if found.pbo is None:
        table.add_row("probability of overfitting (PBO)", "too little to say")
        return table
    table.add_row("probability of overfitting (PBO)", _number(found.pbo.probability))
    fell = f"{_number(found.pbo.chosen_sharpe)} → {_number(found.pbo.later_sharpe)}"
    table.add_row("Sharpe ratio of the best: where chosen → elsewhere", fell)
    return table


def _best(found: SweepReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("configuration", overflow="fold")
    for name in ("Sharpe", "90 % range", "deflated", "a year", "deepest fall", "behind"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.best:
        table.add_row(*_row(one))
    return table


def _row(one: Finalist) -> tuple[str, ...]:
    low, high = one.ci90
    return (
        one.configuration,
        _number(one.sharpe),
        f"{_number(low)} to {_number(high)}",
        _number(one.deflated_sharpe),
        "-" if one.cagr is None else f"{one.cagr:+.1%}",
        "-" if one.max_drawdown_ratio is None else f"{-one.max_drawdown_ratio:.1%}",
        f"{one.behind} of {one.periods}",
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
