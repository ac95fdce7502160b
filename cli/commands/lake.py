"""`data import|list|check`: bring files of bars into the home, and see what is there and whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED
from when_to_invest.intervals import Interval


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="data", help="Market data: recorded defaults and imported files.")
    group.command("import")(import_bars)
    group.command("list")(list_instruments)
    group.command("check")(check)
    app.add_typer(group)


def import_bars(
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or CSV.GZ with ts, open…close, volume.")],
    *,
    instrument: Annotated[str, typer.Option(help="Id to import it as, such as BTC/USDT.")],
    interval: Annotated[Interval, typer.Option(help="Length of a bar.")],
    venue: Annotated[str, typer.Option(help="Where the data come from.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Check a file bar by bar and import it whole, or say which row is wrong and import nothing."""
    from cli.lake_card import import_card
    from cli.output import console, print_json
    from home.clock import WallClock
    from home.paths import home_at
    from market_data.lake import import_file

    report = import_file(
        home_at(home).make(),
        file,
        instrument=instrument,
        interval=interval,
        venue=venue,
        now=WallClock().now(),  # also in replay: a recorded bar has happened, one of the future has not
    )
    if json:
        print_json(report.model_dump(mode="json"))
        return
    console().print(import_card(report))


def list_instruments(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List every instrument that can be analysed here, and the imported ones that are damaged."""
    from cli.lake_card import catalogue_card
    from cli.output import console, print_json
    from home.paths import home_at
    from market_data.catalogue import damaged_instruments
    from market_data.catalogue import list_instruments as known

    place = home_at(home)
    instruments, damaged = known(place), damaged_instruments(place)
    if json:
        print_json(
            {
                "instruments": [item.model_dump(mode="json") for item in instruments],
                "damaged": [{"id": each.id, "error": each.fault.as_json()} for each in damaged],
            }
        )
        return
    console().print(catalogue_card(instruments, damaged))


def check(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Read every imported bar again. Exit 0 when all files are whole, 1 when one is damaged."""
    from cli.lake_card import check_card
    from cli.output import console, print_json
    from home.paths import home_at
    from market_data.catalogue import checked_imports

    found = checked_imports(home_at(home))
    if json:
        print_json(
            {
                "ok": not found.damaged,
                "sound": [each.model_dump(mode="json") for each in found.sound],
                "damaged": [{"id": each.id, "error": each.fault.as_json()} for each in found.damaged],
            }
        )
    else:
        console().print(check_card(found.sound, found.damaged))
    return EXIT_REFUSED if found.damaged else EXIT_OK
