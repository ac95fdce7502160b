"""`audit-lookahead`: does anything before a bar change when the bars after it do?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from home.paths import Home
    from when_to_invest.honesty.lookahead import Audit
    from when_to_invest.honesty.subjects import Subject
    from when_to_invest.instruments import Instrument
    from when_to_invest.market import BarSeries

DECISION = "decision"
_MOST_CUTS = 10_000


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command("audit-lookahead")(audit_lookahead)


def audit_lookahead(
    strategy: Annotated[
        str,
        typer.Argument(help="decision, features, a strategy's name, or FILE.py:Class.", show_default=False),
    ] = "",
    instrument: Annotated[str, typer.Argument(help="Instrument id, such as SPX.", show_default=False)] = "",
    *,
    cuts: Annotated[int, typer.Option(help="How many random bars to cut at.")] = 20,
    seed: Annotated[int, typer.Option(help="Chooses the bars; the same seed, the same bars.")] = 0,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Audit planted leaks and honest pipelines instead.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Hunt look-ahead: cut the future off, change it, start later. Exit 0 clean, 1 leak found."""
    from home.paths import home_at

    if not 1 <= cuts <= _MOST_CUTS or seed < 0:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"--cuts {cuts} --seed {seed} cannot be used",
            fix=f"give from 1 to {_MOST_CUTS} cuts and a seed of at least 0",
        )
    if self_test:
        return _self_test(seed=seed, as_json=json)
    if not strategy or not instrument:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "name a strategy and an instrument",
            fix="such as: audit-lookahead decision SPX, or use --self-test",
        )
    result = audit_of(home_at(home), strategy, instrument, cuts=cuts, seed=seed)
    _show(result, instrument=instrument, as_json=json)
    return EXIT_OK if result.is_clean else EXIT_REFUSED


def audit_of(home: Home, strategy: str, instrument_id: str, *, cuts: int, seed: int) -> Audit:
    """Audit the live decision pipeline, our features, or a strategy inside the backtest engine.

    Raises:
        Fault: `unknown_instrument`, `no_data`, `bad_argument`, or what the pipeline raises.
    """
    from market_data.catalogue import bars_of, instrument
    from when_to_invest.honesty.lookahead import audit

    known, series = instrument(home, instrument_id), bars_of(home, instrument_id)
    if strategy == DECISION:
        return _audit_of_decisions(known, series, cuts=cuts, seed=seed)
    return audit(_subject(strategy, known), series, cuts=cuts, seed=seed)


def _audit_of_decisions(known: Instrument, series: BarSeries, *, cuts: int, seed: int) -> Audit:
    from market_data.source import known_at
    from when_to_invest.decision.recommend import recommend
    from when_to_invest.honesty.decisions import audit_decisions
    from when_to_invest.market import closed_at

    def decide(bars: BarSeries, as_of: datetime) -> Mapping[str, object]:
        answer: Mapping[str, object] = recommend(known_at(known, bars, as_of=as_of)).model_dump(mode="json")
        return answer

    def known_from(bar: int) -> datetime:
        return closed_at(series.opened_at(bar), interval=known.interval, session=known.session)

    return audit_decisions(DECISION, decide, series, known_from=known_from, cuts=cuts, seed=seed)


def _subject(strategy: str, known: Instrument) -> Subject:
    from cli.strategy_file import is_file, load_strategy
    from when_to_invest.backtest.named import named_strategy
    from when_to_invest.backtest.terms import Terms
    from when_to_invest.honesty.strategies import FEATURES, features_subject, strategy_subject

    if strategy == FEATURES:
        return features_subject(known)
    if is_file(strategy):
        load_strategy(strategy)
        return strategy_subject(strategy, lambda: load_strategy(strategy), instrument=known, terms=Terms())
    named = named_strategy(strategy, instrument=known)
    terms = Terms(no_trade_band=0.0) if named.plans_steps else Terms()
    return strategy_subject(strategy, named.make, instrument=known, terms=terms)


def _self_test(*, seed: int, as_json: bool) -> int:
    from dataclasses import asdict

    from cli.output import console, print_json
    from when_to_invest.honesty.canaries.registry import examine

    result = examine(seed=seed)
    if as_json:
        print_json({**asdict(result), "caught": result.caught, "ok": result.is_passed})
    else:
        out = console()
        out.print(f"planted leaks caught {result.caught}/{result.planted}")
        out.print(f"honest pipelines flagged {len(result.flagged)}/{result.honest}")
        for name in (*result.missed, *result.flagged):
            out.print(f"  [bold red]wrong[/] {name}")
    return EXIT_OK if result.is_passed else EXIT_REFUSED


def _show(result: Audit, *, instrument: str, as_json: bool) -> None:
    from cli.audit_card import audit_card, audit_json
    from cli.output import console, print_json

    if as_json:
        print_json(audit_json(result, instrument=instrument))
        return
    console().print(audit_card(result, instrument=instrument))
