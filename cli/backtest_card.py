"""How a backtest looks: one object for scripts, tables for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from when_to_invest.canonical import utc_text

if TYPE_CHECKING:
    from when_to_invest.backtest.figures import Figures
    from when_to_invest.backtest.report import Backtest, Part


def backtest_json(result: Backtest) -> dict[str, object]:
    """Return the object that `backtest --json` promises."""
    return {
        "strategy": result.strategy,
        "instrument": result.instrument,
        "start": utc_text(result.course.opened_at(0)),
        "end": utc_text(result.course.opened_at(-1)),
        "n": len(result.course),
        "terms": asdict(result.terms),
        "result": asdict(result.figures),
        "buy_and_hold": asdict(result.buy_and_hold),
        "constant_mix": asdict(result.constant_mix),
        "timing": asdict(result.timing),
        "subperiods": [_part_json(part) for part in result.parts],
        "trades": [asdict(trade) for trade in result.course.trades],
        "trials": result.trials,
        "deflated_sharpe": result.deflated_sharpe,
        "warnings": list(result.notes),
    }


def backtest_card(result: Backtest) -> RenderableType:
    """Return figures beside both baselines, sub-periods, and what this cannot show."""
    course, terms = result.course, result.terms
    title = Text.assemble((f"{result.strategy} on {result.instrument}", "bold"))
    span = f"{course.opened_at(0):%Y-%m-%d} to {course.opened_at(-1):%Y-%m-%d}, {len(course):,} bars"
    costs = f"fills at the next bar, fee {terms.fee_bps:g} bps, slippage {terms.slippage_bps:g} bps"
    notes = [Text(f"• {note}", style="yellow") for note in result.notes]
    timing = f"timing against the mix: {_signed(result.timing.annual)} a year"
    if result.timing.t is not None:
        timing += f", t = {result.timing.t:.1f} (below 2 is noise)"
    return Group(
        title, Text(f"{span}; {costs}", style="dim"), Text(), _figures(result), Text(timing), _luck(result),
        Text(), _parts(result.parts), Text(), *notes,
    )  # fmt: skip


def _luck(result: Backtest) -> Text:
    if result.trials is None or result.deflated_sharpe is None:
        return Text("above luck: unknown, the returns are too few or never vary", style="dim")
    return Text(
        f"above luck after {result.trials:,} trials: probability {result.deflated_sharpe:.2f} "
        "(0.95 would be convincing)"
    )


def _part_json(part: Part) -> dict[str, object]:
    return {
        "start": utc_text(part.start),
        "end": utc_text(part.end),
        "total_return": part.total_return,
        "max_drawdown": part.max_drawdown,
        "buy_and_hold_return": part.buy_and_hold_return,
        "buy_and_hold_drawdown": part.buy_and_hold_drawdown,
        "is_behind": part.is_behind,
    }


def _figures(result: Backtest) -> Table:
    table = _table("", result.strategy, "buy and hold", "mix of equal exposure")
    columns = (result.figures, result.buy_and_hold, result.constant_mix)
    for name, shown in _LINES:
        table.add_row(name, *(shown(each) for each in columns))
    return table


_LINES: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("total return", lambda f: _signed(f.total_return)),
    ("growth a year", lambda f: _signed(f.cagr)),
    ("volatility a year", lambda f: _plain(f.volatility_annual)),
    ("Sharpe ratio", lambda f: _number(f.sharpe)),
    ("deepest fall", lambda f: _signed(f.max_drawdown)),
    ("longest time under water", lambda f: f"{f.under_water_days:,.0f} days"),
    ("mean exposure", lambda f: _plain(f.mean_exposure)),
    ("turnover a year", lambda f: _number(f.turnover_per_year)),
    ("fills", lambda f: f"{f.fills:,}"),
    ("fees, of the budget", lambda f: f"{f.fees:.4f}"),
)


def _parts(parts: tuple[Part, ...]) -> Table:
    table = _table("sub-period", "return", "buy and hold", "deepest fall", "its deepest fall", "")
    for part in parts:
        table.add_row(
            f"{part.start:%Y-%m} to {part.end:%Y-%m}",
            _signed(part.total_return),
            _signed(part.buy_and_hold_return),
            _signed(part.max_drawdown),
            _signed(part.buy_and_hold_drawdown),
            Text("behind", style="red") if part.is_behind else Text("not behind", style="green"),
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for index, name in enumerate(names):
        table.add_column(name, justify="left" if index == 0 else "right")
    return table


def _signed(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:+,.1%}"


def _plain(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
