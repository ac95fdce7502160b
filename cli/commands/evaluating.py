"""`evaluate` and `scorecard`: how good the answers would have been, and how good they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption

if TYPE_CHECKING:
    from datetime import date, datetime

    from home.paths import Home
    from when_to_invest.evaluation.evaluate import Judged
    from when_to_invest.market import Snapshot

DateOption = Annotated[str | None, typer.Option(show_default=False, help="Date, such as 2004-01-01.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(evaluate)
    app.command()(scorecard)


def parse_date(text: str | None, *, option: str) -> date | None:
    """Return the day that `text` names, or None without one.

    Raises:
        Fault: `bad_argument` when it is no date.
    """
    from datetime import date

    from when_to_invest.errors import ErrorCode, Fault

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, f"{option} {text[:40]!r} is not a date", fix="give it as 2004-01-01"
        ) from error


def evaluate(
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as SPX or one you imported.")],
    *,
    report: Annotated[
        Path | None, typer.Option(help="Write pictures: FILE.html or FILE.png.", show_default=False)
    ] = None,
    start: DateOption = None,
    end: DateOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Walk every forecast and rule forward over the past, and score them against what came."""
    from cli.output import console, print_json
    from cli.progress import shown_progress
    from cli.reports.files import check_target, write_evaluation
    from home.paths import home_at
    from market_data.source import latest_as_of, snapshot
    from when_to_invest.evaluation.evaluate import evaluate as judge

    place = home_at(home)
    if report is not None:
        check_target(report, option="--report")
    first, last = parse_date(start, option="--start"), parse_date(end, option="--end")
    seen = snapshot(place, instrument, as_of=latest_as_of(place, instrument))
    with shown_progress(f"evaluating {instrument}") as progress:
        found = written_down(judge(seen, start=first, end=last, progress=progress), seen, home=place)
        if report is not None:
            progress("drawing")
            write_evaluation(report, found, seen, home=place)
    if json:
        print_json(found.evaluation.model_dump(mode="json"))
        return
    from cli.evaluation_card import evaluation_card

    console().print(evaluation_card(found.evaluation))


def written_down(found: Judged, seen: Snapshot, *, home: Home) -> Judged:
    """Write the judged position down as a trial, and deflate its Sharpe ratio by all that are known.

    Raises:
        Fault: `corrupt_data`, `storage_failed` of the ledger.
    """
    from dataclasses import replace

    from compute.code import code_fingerprint
    from home.trial_file import recorder
    from when_to_invest.evaluation.charge import charged, overlay_moments, overlay_trial

    moments = overlay_moments(found.evaluation, found.courses)
    if moments is None:
        return found
    trial = overlay_trial(
        found.evaluation, moments, data_hash=seen.data_hash, code_version=code_fingerprint()
    )
    ledger = recorder(home, data_as_of=seen.as_of)((trial,))
    return replace(found, evaluation=charged(found.evaluation, moments, ledger))


def scorecard(
    instrument: Annotated[
        str | None, typer.Argument(help="Only recommendations for this one.", show_default=False)
    ] = None,
    *,
    as_of: Annotated[
        str | None, typer.Option(help="Count outcomes up to this date or instant.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Score every recorded recommendation against what came, as far as the home's clock has run."""
    from cli.output import console, print_json
    from cli.scorecard_card import scorecard_card
    from home.paths import home_at
    from market_data.catalogue import instrument as known
    from market_data.scorecard import scorecard as score

    place = home_at(home)
    if instrument is not None:
        known(place, instrument)
    found = score(place, now=_present(place, as_of), instrument=instrument)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    console().print(scorecard_card(found))


def _present(place: Home, as_of: str | None) -> datetime:
    """Return the instant up to which outcomes count: given, the home's clock, or the newest bar's close."""
    from contextlib import suppress

    from home.clock import clock_of
    from home.settings import read_settings
    from market_data.catalogue import list_instruments
    from market_data.source import latest_as_of, parse_as_of
    from when_to_invest.errors import Fault
    from when_to_invest.values import Mode

    if as_of is not None:
        return parse_as_of(as_of)
    mode = read_settings(place).mode
    if mode is Mode.REPLAY and not place.clock.exists():
        known = []
        for each in list_instruments(place):
            with suppress(Fault):  # what cannot be read has no newest bar
                known.append(latest_as_of(place, each.id))
        return max(known)
    return clock_of(place, mode).now()
