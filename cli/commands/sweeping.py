"""`sweep`: many configurations of one strategy, and what picking the best of them is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from cli.runner_options import Place, PlaceOption, SchedulerOption, WorkersOption, runner_of

if TYPE_CHECKING:
    from when_to_invest.backtest.sweep_report import SweepReport

MOST_TOLD = 20


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(sweep)


GridOption = Annotated[list[str], typer.Option(help="slow=50:250:25 or slow=100,200; give one a parameter.")]
FromOption = Annotated[str | None, typer.Option("--from", help="First day traded.", show_default=False)]
ToOption = Annotated[str | None, typer.Option(help="Last day looked at.", show_default=False)]


def sweep(
    strategy: Annotated[str, typer.Argument(help="A name with parameters, such as trend_vol.")],
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as SPX.")],
    *,
    grid: GridOption,
    from_: FromOption = None,
    to: ToOption = None,
    fee_bps: Annotated[float, typer.Option(help="Fee, of each traded value.")] = 5.0,
    best: Annotated[int, typer.Option(min=1, max=MOST_TOLD, help="How many to tell.")] = 5,
    seed: Annotated[int, typer.Option(help="For the intervals.")] = 0,
    runner: PlaceOption = Place.SERIAL,
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Try a grid of parameters; every trial is written down and the best is deflated by all of them."""
    from cli.commands.backtesting import trial_of
    from cli.progress import shown_progress
    from compute.sweeps import Sweep, run_sweep
    from home.paths import home_at
    from home.trial_file import recorder
    from when_to_invest.backtest.grid import configurations, parse_axis
    from when_to_invest.backtest.terms import Terms
    from when_to_invest.backtest.variants import variants_of

    place, where = home_at(home), runner_of(runner, workers=workers, scheduler=scheduler)
    asked = configurations([parse_axis(text) for text in grid])
    trial = trial_of(place, instrument, start=from_, end=to, terms=Terms(fee_bps), arrival_months=0)
    variants = variants_of(strategy, asked, bars=len(trial))
    with shown_progress(f"sweeping {strategy}") as told:
        found = run_sweep(
            Sweep(variants, trial, where, seed=seed, best=best),
            recorder(place, data_as_of=trial.snapshot.as_of),
            progress=lambda done, total: told(f"{done} of {total}"),
        )
    _show(found, as_json=json)


def _show(found: SweepReport, *, as_json: bool) -> None:
    from cli.output import console, print_json
    from cli.sweep_card import sweep_card

    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    console().print(sweep_card(found))
