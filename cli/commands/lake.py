"""`data import|list|check`: bring files of bars into the home, and see what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.intervals import Interval


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="data", help="Market data: recorded defaults and imported files.")
    group.command("import")(import_bars)
    group.command("list")(list_instruments)
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
    from cli.output import console, print_json
    from home.paths import home_at
    from market_data.lake import import_file

    report = import_file(home_at(home).make(), file, instrument=instrument, interval=interval, venue=venue)
    if json:
        print_json(report.model_dump(mode="json"))
        return
    content = report.model_dump(mode="json")
    out = console()
    out.print(f"[bold green]imported[/] {content['bars']} bars as {content['instrument']}")
    for note in content.get("notes", ()):
        out.print(f"  note: {note}")


def list_instruments(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List every instrument that can be analysed here."""
    from cli.cards import instrument_table
    from cli.output import console, print_json
    from home.paths import home_at
    from market_data.catalogue import list_instruments as known

    instruments = known(home_at(home))
    if json:
        print_json({"instruments": [item.model_dump(mode="json") for item in instruments]})
        return
    console().print(instrument_table(instruments))
