"""A backtest as one picture: its wealth and falls beside holding throughout and monthly parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cli.reports.chart import dates_of
from cli.reports.sheet import new_sheet
from cli.reports.wealth_panels import compared, draw_wealth, put_key, two_panels, wealth_path
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.named import NAMED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from when_to_invest.backtest.course import Course
    from when_to_invest.backtest.report import Backtest
    from when_to_invest.backtest.trial import Trial
    from when_to_invest.market import FloatArray

BESIDE: Final = (("buy_and_hold", "buying and holding"), ("dca", "a twelfth a month"))


def backtest_picture(result: Backtest, trial: Trial) -> Figure:
    """Return the picture; the others ran over the same bars, on the same terms."""
    import numpy as np

    planned = replace(trial, terms=replace(trial.terms, no_trade_band=0.0))
    others = [
        (words, run_events(NAMED[name].make(), planned)) for name, words in BESIDE if name != result.strategy
    ]
    dates = dates_of(result.course.opened_us)
    last = np.append(np.flatnonzero(np.diff(dates).astype(np.int64)), len(dates) - 1)
    paths = [
        wealth_path(name, _wealth(course), last=last)
        for name, course in ((result.strategy, result.course), *others)
    ]
    sheet = new_sheet(11.0, 7.2)
    top = sheet.head(f"{result.instrument}: {compared(paths)}", _below(result))
    panels = two_panels(sheet, top + 0.42, cut=4.85)
    marks = draw_wealth(panels, dates[last], paths)
    put_key(sheet, marks, top, panels[0])
    return sheet.figure


def _wealth(course: Course) -> FloatArray:
    """Return wealth from 1 (m,), to which arriving cash is no gain."""
    import numpy as np

    return np.cumprod(1.0 + course.returns(), dtype=np.float64)


def _below(result: Backtest) -> str:
    terms = result.terms
    sharpe = [each.sharpe for each in (result.figures, result.buy_and_hold)]
    ratios = ["unknown" if each is None else f"{each:.2f}" for each in sharpe]
    luck = (
        ""
        if result.deflated_sharpe is None
        else f" Probability of more than the best of {result.trials:,} worthless trials shows: "
        f"{result.deflated_sharpe:.2f}."
    )
    return (
        f"Sharpe ratio {ratios[0]}, buying and holding {ratios[1]}; fee {terms.fee_bps:g} bps, "
        f"slippage {terms.slippage_bps:g} bps.{luck} One past, no promise."
    )
