"""Cards on a terminal of 80 columns: nothing is cut off."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console, RenderableType

from agents.explanation import hundredths
from cli.commands.analysis import parse_horizon
from cli.evaluation_card import evaluation_card
from cli.main import main
from cli.recommendation_card import recommendation_card
from cli.scorecard_card import scorecard_card
from cli.sweep_card import sweep_card
from compute.runner import Place, Runner
from compute.sweeps import Sweep, run_sweep
from home.paths import Home
from home.trial_file import recorder
from market_data.source import parse_as_of, snapshot
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.backtest.grid import configurations, parse_axis
from when_to_invest.backtest.report import Part
from when_to_invest.backtest.trial import make_trial
from when_to_invest.backtest.variants import variants_of
from when_to_invest.decision.eligibility import LONGEST_HORIZON
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation
from when_to_invest.errors import Fault
from when_to_invest.evaluation.evaluate import evaluate
from when_to_invest.evaluation.scorecard import Followed, Scorecard, groups, scored

NOWHERE = Home(Path("nowhere"))


def shown(card: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(card)
    return out.getvalue()


@cache
def advice(day: str, horizon: int) -> Recommendation:
    return recommend(snapshot(NOWHERE, "SPX", as_of=parse_as_of(day)), horizon_days=horizon)


@pytest.mark.parametrize("horizon", [21, 30, 126])
def test_a_recommendation_fits_with_a_horizon_of_its_own(horizon: int) -> None:
    answer = advice("2018-12-24", horizon)
    text = shown(recommendation_card(answer, budget_usd=Decimal(50_000)))
    assert "…" not in text
    assert f"expires {answer.expires_at:%Y-%m-%d}" in text
    assert answer.id in text
    for odds in answer.p_drop:
        assert f"{hundredths(odds.value)} ({hundredths(odds.baseline)})" in text


def test_a_step_names_its_date() -> None:
    days = (f"{year}-{month:02}-15" for year in range(2010, 2019) for month in (2, 8))
    staged = next(each for day in days if (each := advice(day, 21)).action is Action.STAGE)
    text = " ".join(shown(recommendation_card(staged, budget_usd=None)).split())
    assert staged.schedule[1].due_at is not None
    assert f"by {staged.schedule[1].due_at:%Y-%m-%d}" in text
    assert "by its date" not in text


def test_a_sweep_fits(tmp_path: Path) -> None:
    home, trial = Home(tmp_path).make(), make_trial(daily_snapshot(900))
    grid = configurations(
        [parse_axis("fast=1,5"), parse_axis("slow=50:250:50"), parse_axis("band_ratio=0.02")]
    )
    variants = variants_of("trend_vol", grid, bars=len(trial))
    found = run_sweep(
        Sweep(variants, trial, Runner(Place.SERIAL), seed=0, best=5),
        recorder(home, data_as_of=trial.snapshot.as_of),
        progress=lambda done, total: None,
    )
    text = shown(sweep_card(found))
    assert "…" not in text
    low, high = found.best[0].ci90
    assert f"{low:.2f} to {high:.2f}" in text


def test_a_scorecard_fits() -> None:
    given = advice("2017-06-30", 30).model_copy(update={"instrument": "A-LONG-NAME/WITH-QUOTE"})
    followed = tuple(
        Followed(given, np.linspace(100.0, 120.0, count), row) for row, count in ((1, 80), (2, 4))
    )
    card = Scorecard(
        as_of=datetime(2018, 1, 1, tzinfo=UTC),
        n=2,
        groups=groups(followed),
        recommendations=tuple(scored(each) for each in followed),
        notes=(),
    )
    text = shown(scorecard_card(card))
    assert "…" not in text
    assert "2017-06-30" in text
    assert "open" in text


def test_an_evaluation_fits_and_promises_nothing_for_an_instrument_without_promises() -> None:
    text = shown(evaluation_card(evaluate(daily_snapshot(1600, seed=7)).evaluation))
    assert "…" not in text
    assert "promised" not in text


@pytest.mark.parametrize(("horizon", "is_known"), [(LONGEST_HORIZON, True), (LONGEST_HORIZON + 1, False)])
def test_the_command_line_knows_the_longest_horizon(horizon: int, *, is_known: bool) -> None:
    if is_known:
        assert parse_horizon(f"{horizon}d") == horizon
        return
    with pytest.raises(Fault, match=f"from 1 to {LONGEST_HORIZON}"):
        parse_horizon(f"{horizon}d")


def test_a_scorecard_of_nothing_known_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scorecard", "NOPE", "--home", str(tmp_path)]) == 2
    assert "no instrument 'NOPE'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("mine", "is_behind"), [(0.6120, False), (0.6117, False), (0.6110, True)])
def test_what_reads_the_same_is_not_behind(mine: float, *, is_behind: bool) -> None:
    day = datetime(2018, 1, 1, tzinfo=UTC)
    assert Part(day, day, mine, -0.1, 0.6121, -0.1).is_behind is is_behind
