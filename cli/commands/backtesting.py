"""`backtest`: what a strategy would have done, beside doing nothing clever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home
    from when_to_invest.backtest.report import Backtest
    from when_to_invest.backtest.terms import Terms
    from when_to_invest.backtest.trial import Trial
    from when_to_invest.honesty.trials import Record


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(backtest)


def backtest(
    strategy: Annotated[str, typer.Argument(help="A name such as trend_vol, or FILE.py:Class.")],
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as SPX.")],
    *,
    from_: Annotated[str | None, typer.Option("--from", help="First day traded.", show_default=False)] = None,
    to: Annotated[str | None, typer.Option("--to", help="Last day looked at.", show_default=False)] = None,
    fee_bps: Annotated[float, typer.Option(help="Fee, of each traded value.")] = 5.0,
    slippage_bps: Annotated[float, typer.Option(help="How much worse than the open each fill is.")] = 0.0,
    band: Annotated[float, typer.Option(help="Weight by which a target must differ to be traded.")] = 0.1,
    cash_rate: Annotated[float, typer.Option(help="Interest on cash, 0.03 a year.")] = 0.0,
    arrival_months: Annotated[int, typer.Option(help="Months over which the budget arrives.")] = 0,
    every: Annotated[
        int | None, typer.Option(help="Bars between two questions (decision).", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it: FILE.png or FILE.html.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Replay a strategy bar by bar, with costs and without foresight; the run is written down as a trial."""
    from cli.backtest_card import backtest_card, backtest_json
    from cli.output import console, print_json
    from home.paths import home_at
    from home.trial_file import recorder
    from when_to_invest.backtest.terms import Terms

    if plot is not None:
        _check_plot(plot)
    place, terms = home_at(home), Terms(fee_bps, slippage_bps, band, cash_rate)
    trial = trial_of(place, instrument, start=from_, end=to, terms=terms, arrival_months=arrival_months)
    record = recorder(place, data_as_of=trial.snapshot.as_of)
    result = written_down(run_named(strategy, trial, every=every), trial, _asked(strategy, every), record)
    if plot is not None:
        _draw(plot, result, trial, place)
    if json:
        print_json(backtest_json(result))
        return
    console().print(backtest_card(result))


def _check_plot(path: Path) -> None:
    from cli.reports.files import check_target

    check_target(path, option="--plot")


def _draw(path: Path, result: Backtest, trial: Trial, home: Home) -> None:
    from cli.reports.files import write_backtest

    write_backtest(path, result, trial, home=home)


def trial_of(
    home: Home, instrument: str, *, start: str | None, end: str | None, terms: Terms, arrival_months: int
) -> Trial:
    """Return the trial of the bars that opened on or after `start` and had closed by `end`.

    Bars before `start` stay visible to the strategy as history.

    Raises:
        Fault: `unknown_instrument`, `bad_argument`, `history_too_short`, `corrupt_data`.
    """
    from datetime import UTC, datetime, time

    from market_data.source import latest_as_of, parse_as_of, snapshot
    from when_to_invest.backtest.trial import make_trial

    as_of = parse_as_of(end) if end is not None else latest_as_of(home, instrument)
    seen = snapshot(home, instrument, as_of=as_of)
    first = 0
    if start is not None:
        begins = datetime.combine(parse_as_of(start).date(), time(), tzinfo=UTC)
        first = int(seen.bars.opened_us.searchsorted(int(begins.timestamp()) * 1_000_000))
    return make_trial(seen, first=first, terms=terms, arrival_months=arrival_months)


def run_named(strategy: str, trial: Trial, *, every: int | None = None) -> Backtest:
    """Run a strategy by its name, or one of the user's own.

    Raises:
        Fault: `bad_argument` for an unknown name, or a file that holds no strategy.
    """
    from cli.strategy_file import is_file, load_strategy
    from when_to_invest.backtest.named import named_strategy
    from when_to_invest.backtest.report import run_backtest

    if is_file(strategy):
        if every is not None:
            raise Fault(ErrorCode.BAD_ARGUMENT, "--every is for decision alone", fix="leave it out")
        return run_backtest(load_strategy(strategy), trial)
    named = named_strategy(strategy, every=every, instrument=trial.snapshot.instrument)
    return run_backtest(named.make(), trial, plans_steps=named.plans_steps)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was run: `code`: SHA-256 of a file of the user's own, empty for a strategy by name."""

    strategy: str
    settings: dict[str, object]
    code: str
    design_trials: int


def _asked(strategy: str, every: int | None) -> Asked:
    from cli.strategy_file import is_file, source_hash
    from when_to_invest.backtest.named import NAMED

    settings: dict[str, object] = {} if every is None else {"every": every}
    if is_file(strategy):
        return Asked(strategy, settings, source_hash(strategy), 0)
    return Asked(strategy, settings, "", NAMED[strategy].design_trials)


def written_down(result: Backtest, trial: Trial, asked: Asked, record: Record) -> Backtest:
    """Write the run down as a trial and return it, deflated by every trial that is known.

    Raises:
        Fault: what `record` raises.
    """
    from compute.code import code_fingerprint
    from when_to_invest.backtest.luck import charged, excess_of, looked_at, run_of
    from when_to_invest.canonical import digest

    code = digest([code_fingerprint(), asked.code]) if asked.code else code_fingerprint()
    run = run_of(asked.strategy, trial, settings=asked.settings, code_version=code)
    ledger = record((looked_at(trial, run, excess=excess_of(result)),))
    return charged(result, ledger, design_trials=asked.design_trials)
