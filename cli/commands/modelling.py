"""`models`: the odds that recommend, beside the learners that run in their shadow."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.options import HomeOption, JsonOption

if TYPE_CHECKING:
    from home.paths import Home
    from when_to_invest.market import Snapshot
    from when_to_invest.models.challengers import Pool

DateOption = Annotated[str | None, typer.Option(show_default=False, help="Date, such as 2004-01-01.")]
HORIZONS: Final = (21, 5)
THRESHOLD: Final = 0.05


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command("models")(models)


def models(
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as SPX or one you imported.")],
    *,
    start: DateOption = None,
    end: DateOption = None,
    seed: Annotated[int, typer.Option(help="Of the learners and of the resampling.")] = 0,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Judge challengers of the odds of a 5 % fall within 21 and 5 days; change nothing."""
    from cli.commands.evaluating import parse_date
    from cli.models_card import models_card
    from cli.output import console, print_json
    from cli.progress import shown_progress
    from home.paths import home_at
    from market_data.source import latest_as_of, snapshot
    from when_to_invest.decision.code_version import code_version
    from when_to_invest.models.challengers import contest
    from when_to_invest.models.registry import cards_json, model_cards

    place = home_at(home)
    first, last = parse_date(start, option="--start"), parse_date(end, option="--end")
    seen = snapshot(place, instrument, as_of=latest_as_of(place, instrument))
    cards, pool = [], pool_of(place, seen)
    with shown_progress(f"contest on {instrument}") as progress:
        for days in HORIZONS:
            progress(f"{days} days")
            found = contest(
                seen, start=first, end=last, horizon=days, threshold=THRESHOLD, seed=seed, pool=pool
            )
            cards.append(model_cards(found, code_version=code_version()))
    if json:
        print_json(
            {"instrument": seen.instrument.id, "cards": [card for each in cards for card in cards_json(each)]}
        )
        return
    console().print(models_card(tuple(cards)))


def pool_of(home: Home, seen: Snapshot) -> Pool:
    """Return the daily series of a home that teach the pooled challengers of one instrument.

    An instrument that taught the incumbent teaches the challengers too, dated alike; of any other
    neither has seen a day, so it and what moves with it are left out.
    """
    from market_data.catalogue import list_instruments
    from market_data.source import latest_as_of, snapshot
    from when_to_invest.errors import Fault
    from when_to_invest.features.daily import daily_bars
    from when_to_invest.models.challengers import Pool
    from when_to_invest.models.registry import shipped_origin
    from when_to_invest.models.unseen import kin_of

    series, name = {seen.instrument.id: daily_bars(seen)}, seen.instrument.id
    for known in list_instruments(home):
        with suppress(Fault):  # what cannot be read teaches nothing
            if known.id != name:
                series[known.id] = daily_bars(snapshot(home, known.id, as_of=latest_as_of(home, known.id)))
    is_shared = name in {each.name for each in shipped_origin().data}
    return Pool(series, () if is_shared else kin_of(name, series))
