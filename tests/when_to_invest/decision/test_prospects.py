"""What lies ahead, as a recommendation shows it: coherent, cited, dated, and the seed's."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from home.paths import Home
from market_data.source import parse_as_of, snapshot
from tests.fakes.fake_bars import daily_snapshot, series, snapshot_of, weekdays
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.models.dynamics import Dynamics, shipped_dynamics

HOME = Home(Path("nowhere"))


def _at(date: str, *, name: str = "SPX", horizon_days: int = 21, seed: int = 0) -> Recommendation:
    found = snapshot(HOME, name, as_of=parse_as_of(date))
    return recommend(found, horizon_days=horizon_days, seed=seed)


def _facts(made: Recommendation) -> dict[str, float]:
    return {item.id: item.value for item in made.evidence}


@pytest.mark.parametrize("name", ["SPX", "IXIC"])
@pytest.mark.parametrize("date", ["2001-09-20", "2008-10-10", "2011-08-10", "2017-06-30", "2018-12-24"])
def test_the_futures_have_the_odds_that_are_shown(name: str, date: str) -> None:
    made = _at(date, name=name)
    facts = _facts(made)
    assert facts["futures.gap"] <= 1e-6
    assert facts["futures.effective"] > 0.3
    for each in made.first_passage:
        odds = next(
            odds.value
            for odds in made.p_drop
            if (odds.threshold_ratio, odds.horizon_days) == (each.threshold_ratio, each.within_days)
        )
        assert each.odds == pytest.approx(odds, abs=2e-6)
    wait = next(each for each in made.waiting if each.wait_days == made.horizon_days)
    assert wait.lower_odds == pytest.approx(1.0 - made.p_up.value, abs=2e-3)


@pytest.mark.parametrize("horizon_days", [1, 30, 126])
def test_another_horizon_is_agreed_with_as_well(horizon_days: int) -> None:
    made = _at("2015-08-25", horizon_days=horizon_days)
    assert _facts(made)["futures.gap"] <= 1e-6
    assert {each.within_days for each in made.first_passage} == {max(63, horizon_days)}


def test_first_days_come_later_for_more_futures_and_deeper_falls() -> None:
    made = _at("2018-12-24")
    shallow, deep = made.first_passage
    for fall in (shallow, deep):
        days = [each.after_days or 10_000 for each in fall.by_share]
        assert days == sorted(days)
    for near, far in zip(shallow.by_share, deep.by_share, strict=True):
        assert (near.after_days or 10_000) <= (far.after_days or 10_000)


def test_every_figure_is_cited() -> None:
    made = _at("2018-12-24")
    facts = _facts(made)
    for wait in made.waiting:
        start = f"waiting.d{wait.wait_days}"
        assert (wait.cost_bps, wait.error_bps, wait.lower_odds) == tuple(
            facts[f"{start}.{name}"] for name in ("cost_bps", "error_bps", "lower_odds")
        )
    for fall in made.first_passage:
        assert fall.odds == facts[fall.evidence]
        for each in fall.by_share:
            name = fall.evidence.replace("odds", f"q{round(each.share_ratio * 100):02d}")
            assert facts.get(name) == each.after_days
    assert made.regime is not None
    assert made.regime.probability == facts["regime.turbulent"]
    assert made.regime.baseline == facts["regime.turbulent.baseline"]


def test_the_regime_was_turbulent_in_the_crash_and_calm_in_the_calm() -> None:
    crash, calm = _at("2008-10-10").regime, _at("2017-06-30").regime
    assert crash is not None
    assert calm is not None
    assert (crash.name, calm.name) == ("turbulent", "calm")
    assert crash.probability > 0.9
    assert calm.probability < 0.1
    assert crash.since.date().isoformat() < "2008-10-01"
    assert calm.since.date().isoformat() < "2017-01-01"


def test_the_day_since_which_a_regime_holds_stays_while_it_holds() -> None:
    known = [_at(date).regime for date in ("2008-10-08", "2008-10-09", "2008-10-10")]
    assert all(one == other for one, other in pairwise([each and each.since for each in known]))


def test_the_seed_moves_what_is_simulated_and_nothing_else() -> None:
    found = daily_snapshot(900, seed=4)
    one, again, other = (recommend(found, seed=seed) for seed in (0, 0, 1))
    assert one.canonical() == again.canonical()
    simulated = {"id", "seed", "waiting", "first_passage", "evidence"}
    assert one.waiting != other.waiting
    assert one.model_dump(exclude=simulated) == other.model_dump(exclude=simulated)
    moved = {name for name, value in _facts(one).items() if _facts(other).get(name) != value}
    assert {name.partition(".")[0] for name in moved} <= {"waiting", "first_passage", "futures"}


def test_no_day_learns_from_its_own_year_or_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of 2010 and later are absent, or nonsense: a day of 2010 never notices."""
    made = _at("2010-06-30")
    shipped = shipped_dynamics()
    early = Dynamics({year: table for year, table in shipped.tables.items() if year < 2010})
    nonsense = Dynamics({**early.tables, 2010: shipped.tables[1935], 2011: shipped.tables[1935]})
    for known in (early, nonsense):
        monkeypatch.setattr("when_to_invest.models.dynamics.shipped_dynamics", lambda known=known: known)
        assert _at("2010-06-30").canonical() == made.canonical()
    older = Dynamics({1935: shipped.tables[1935]})
    monkeypatch.setattr("when_to_invest.models.dynamics.shipped_dynamics", lambda: older)
    assert _at("2010-06-30").canonical() != made.canonical()


def test_before_the_first_table_nothing_is_said_of_what_lies_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("when_to_invest.models.dynamics.shipped_dynamics", lambda: Dynamics({}))
    made = recommend(daily_snapshot(900))
    assert (made.waiting, made.first_passage, made.regime) == ((), (), None)
    assert not [name for name in _facts(made) if name.startswith(("waiting", "futures", "regime"))]


def test_a_market_that_never_fell_that_far_still_gets_an_answer() -> None:
    bars = series(weekdays(900))
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[:] = column**0.01
    made = recommend(snapshot_of(bars))
    assert all(each.after_days is None for fall in made.first_passage for each in fall.by_share)
    assert np.isfinite([each.cost_bps for each in made.waiting]).all()
