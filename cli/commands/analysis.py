"""`recommend` and `replay`: the timing answer, and proof that it can be reproduced."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from datetime import datetime

    from home.paths import Home
    from when_to_invest.decision.recommendation import Recommendation


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(recommend)
    app.command()(replay)


def parse_horizon(text: str) -> int:
    """Return the trading days of `21d` or `21`, from 1 to the longest that is answered.

    Raises:
        Fault: `bad_argument` for anything else.
    """
    from when_to_invest.decision.eligibility import LONGEST_HORIZON

    found = re.fullmatch(r"(\d{1,3})d?", text.strip())
    days = int(found.group(1)) if found else 0
    if not 1 <= days <= LONGEST_HORIZON:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"--horizon {text!r} is not a number of trading days from 1 to {LONGEST_HORIZON}",
            fix="give it as 21d",
        )
    return days


def moment_of(home: Home, instrument: str, as_of: str | None) -> datetime:
    """Return the instant to analyse: the one given, the home's clock, or the newest closed bar.

    Raises:
        Fault: `bad_argument` when `as_of` is no date.
    """
    from home.clock import clock_of
    from home.settings import read_settings
    from market_data.source import latest_as_of, parse_as_of
    from when_to_invest.values import Mode

    if as_of is not None:
        return parse_as_of(as_of)
    mode = read_settings(home).mode
    if mode is Mode.REPLAY and not home.clock.exists():
        return latest_as_of(home, instrument)
    return clock_of(home, mode).now()


def recommend_at(
    home: Home, instrument: str, *, as_of: datetime, horizon_days: int, held_fraction: float = 0.0
) -> Recommendation:
    """Analyse the bars closed by `as_of`, and archive the answer with its data."""
    from market_data.archive import store
    from market_data.source import snapshot
    from when_to_invest.decision.recommend import recommend as analyse

    seen = snapshot(home, instrument, as_of=as_of)
    answer = analyse(seen, horizon_days=horizon_days, held_fraction=held_fraction)
    store(home.make(), answer, seen)
    return answer


def recommend(
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as SPX.")],
    *,
    budget: Annotated[str | None, typer.Option(help="USD to be invested in all.")] = None,
    horizon: Annotated[str, typer.Option(help="Trading days to look ahead, 1 to 126.")] = "21d",
    held: Annotated[float, typer.Option(help="Share of the budget invested already, 0 to 1.")] = 0.0,
    as_of: Annotated[
        str | None, typer.Option(help="Date or instant; nothing later is looked at.", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it: FILE.png or FILE.html.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say whether now is the time, how much, and what would change that."""
    from home.paths import home_at
    from when_to_invest.money import parse_amount_usd

    place = home_at(home)
    budget_usd = parse_amount_usd(budget, name="--budget") if budget is not None else None
    horizon_days = parse_horizon(horizon)
    moment = moment_of(place, instrument, as_of)
    if plot is not None:
        _check_plot(plot)
    answer = recommend_at(place, instrument, as_of=moment, horizon_days=horizon_days, held_fraction=held)
    if plot is not None:
        _draw(plot, answer, place)
    _show(answer, budget_usd=budget_usd, as_json=json)


def _check_plot(path: Path) -> None:
    from cli.reports.files import check_target

    check_target(path, option="--plot")


def _draw(path: Path, answer: Recommendation, place: Home) -> None:
    from cli.reports.files import write_recommendation
    from market_data.archive import load

    write_recommendation(path, answer, load(place, answer.id)[1], home=place)


def _show(answer: Recommendation, *, budget_usd: Decimal | None, as_json: bool) -> None:
    from cli.output import console, print_json
    from cli.recommendation_card import recommendation_card

    if as_json:
        content = answer.model_dump(mode="json")
        if budget_usd is not None:
            content["budget"] = budget_plan(answer, budget_usd)
        print_json(content)
        return
    console().print(recommendation_card(answer, budget_usd=budget_usd))


def budget_plan(answer: Recommendation, budget_usd: Decimal) -> dict[str, object]:
    """Return the recommendation in money: what to invest now, in all, and each tranche, in USD."""
    from when_to_invest.money import decimal_text, share_usd

    return {
        "budget_usd": decimal_text(budget_usd),
        "invest_usd": decimal_text(share_usd(budget_usd, answer.size_fraction)),
        "tranches_usd": [decimal_text(share_usd(budget_usd, step.fraction)) for step in answer.schedule],
    }


def replay(
    recommendation_id: Annotated[str, typer.Argument(help="Id of a recorded recommendation (r-…).")],
    *,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Recompute a recorded recommendation from its snapshot and compare every byte."""
    from cli.output import console, print_json
    from home.paths import home_at
    from market_data.archive import load
    from when_to_invest.decision.recommend import recommend as analyse

    recorded, seen = load(home_at(home), recommendation_id)
    again = analyse(
        seen, horizon_days=recorded.horizon_days, seed=recorded.seed, held_fraction=recorded.held_fraction
    )
    if again.canonical() != recorded.canonical():
        raise Fault(
            ErrorCode.NOT_REPRODUCED,
            f"{recommendation_id} was recorded by code {recorded.code_version}; "
            f"this code is {again.code_version} and answers differently",
            fix="check out the code version that recorded it",
        )
    if json:
        print_json(
            {
                "id": recorded.id,
                "reproduced": True,
                "snapshot_hash": recorded.snapshot_hash,
                "code_version": recorded.code_version,
                "digest": recorded.digest(),
            }
        )
        return
    console().print(
        f"[bold green]reproduced[/] {recorded.id}: every byte equal\n"
        f"  data {recorded.snapshot_hash[:16]}…  code {recorded.code_version[:16]}  seed {recorded.seed}"
    )
