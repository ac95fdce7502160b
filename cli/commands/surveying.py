"""`survey`: the evaluation of many instruments beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from cli.runner_options import Place, PlaceOption, SchedulerOption, WorkersOption, runner_of

if TYPE_CHECKING:
    from home.paths import Home
    from when_to_invest.market import Snapshot


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(survey)


def survey(
    instruments: Annotated[list[str] | None, typer.Argument(help="All of this home without.")] = None,
    *,
    start: Annotated[str | None, typer.Option(help="First day judged.", show_default=False)] = None,
    end: Annotated[str | None, typer.Option(help="Last day judged.", show_default=False)] = None,
    runner: PlaceOption = Place.SERIAL,
    workers: WorkersOption = 0,
    scheduler: SchedulerOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Evaluate many instruments: the same walk forward for each, beside each other."""
    from cli.commands.evaluating import parse_date
    from cli.output import console, print_json
    from cli.progress import shown_progress
    from cli.survey_card import survey_card
    from compute.surveys import Period, run_survey
    from home.paths import home_at
    from home.trial_file import recorder
    from when_to_invest.errors import Fault

    place, where = home_at(home), runner_of(runner, workers=workers, scheduler=scheduler)
    period = Period(parse_date(start, option="--start"), parse_date(end, option="--end"))
    seen = snapshots_of(place, instruments)
    with shown_progress("evaluating") as told:
        found = run_survey(
            seen,
            period=period,
            runner=where,
            record=recorder(place, data_as_of=max(each.as_of for each in seen.values())),
            progress=lambda done, total: told(f"{done} of {total}"),
        )
    if not json:
        console().print(survey_card(found))
        return
    judged = [each.model_dump(mode="json") for each in found.values() if not isinstance(each, Fault)]
    failed = {name: each.as_json() for name, each in found.items() if isinstance(each, Fault)}
    print_json({"evaluations": judged, "faults": failed})


def snapshots_of(home: Home, instruments: list[str] | None) -> dict[str, Snapshot]:
    """Return the newest bars of the instruments, or of all that the home knows.

    Raises:
        Fault: `unknown_instrument`, `no_data`, `corrupt_data`.
    """
    from market_data.catalogue import list_instruments
    from market_data.source import latest_as_of, snapshot

    names = instruments or [known.id for known in list_instruments(home)]
    return {name: snapshot(home, name, as_of=latest_as_of(home, name)) for name in names}
