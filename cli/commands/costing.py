"""`tca`: what execution cost, how long it took, and what of it was abnormal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.evaluating import DateOption, parse_date
from cli.options import HomeOption, JsonOption

if TYPE_CHECKING:
    from datetime import date

    from executor.quality.analysis import Analysis
    from home.paths import Home


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(tca)


def tca(
    decision_id: Annotated[
        str | None, typer.Argument(help="Id of a decision (d-…); all of them without it.", show_default=False)
    ] = None,
    *,
    since: DateOption = None,
    report: Annotated[
        Path | None, typer.Option(help="Write pictures: FILE.html or FILE.png.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Analyse transaction costs: slippage, shortfall, fills, rejections, latency, by order and venue."""
    from cli.execution_card import analysis_card, measures_card
    from cli.execution_json import analysis_json
    from cli.output import console, print_json
    from cli.reports.files import check_target, write_execution
    from home.paths import home_at

    place = home_at(home)
    if report is not None:
        check_target(report, option="--report")
    found = analysis_of(place, decision_id=decision_id, since=parse_date(since, option="--since"))
    if report is not None:
        write_execution(report, found, home=place)
    if json:
        print_json(analysis_json(found))
        return
    one = decision_id is not None and found.decisions
    console().print(measures_card(found.decisions[0]) if one else analysis_card(found))


def analysis_of(place: Home, *, decision_id: str | None = None, since: date | None = None) -> Analysis:
    """Return the account of a home's decisions, or of one, or of those proposed since a day.

    Raises:
        Fault: `unknown_decision`, `journal_unreadable` of a home without one, and what opening raises.
    """
    from cli.registry import open_registry
    from executor.quality.analysis import Bounds, analyse
    from executor.quality.recorded import read_tapes
    from policies.limits import HARD_LIMITS, tighten
    from when_to_invest.errors import ErrorCode, Fault

    with open_registry(place, is_read_only=True) as registry:
        records = [each for each in registry.ledger.decisions.values() if each.events]
        if decision_id is not None:
            records = [each for each in records if each.decision_id == decision_id]
        if decision_id is not None and not records:
            raise Fault(
                ErrorCode.UNKNOWN_DECISION,
                f"the journal of this home knows no decision {decision_id!r}",
                fix="list them with `when-to-invest status`",
            )
        settings, now = registry.settings, registry.now()
    kept = [each for each in records if since is None or each.events[0].at.date() >= since]
    names = {name for each in kept if (name := getattr(each.intent, "instrument", None))}
    start = min((each.events[0].at for each in kept), default=now)
    tapes = read_tapes(place, names, start=start, now=now)
    bounds = Bounds(settings.alarms, tighten(HARD_LIMITS, settings.limits))
    return analyse(kept, tapes, bounds, now=now)
