from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from home.paths import Home
from market_data.lake import import_file
from market_data.source import parse_as_of, snapshot
from tests.conftest import Proof
from tests.fakes.fake_bars import DAY_US, daily_snapshot, instrument, series, snapshot_of, weekdays
from when_to_invest.decision.code_version import code_version
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import EXCHANGE_CLOSE, BarSeries, Snapshot

HOME = Home(Path("nowhere"))


def _at(date: str, *, name: str = "SPX", horizon_days: int = 21) -> Recommendation:
    return recommend(snapshot(HOME, name, as_of=parse_as_of(date)), horizon_days=horizon_days)


def _abstains(found: Snapshot, code: ErrorCode, *, horizon_days: int = 21) -> None:
    with pytest.raises(Fault) as caught:
        recommend(found, horizon_days=horizon_days)
    assert caught.value.code is code
    assert caught.value.fix


@pytest.mark.proof
def test_what_happened_later_changes_no_byte(proof: Proof, tmp_path: Path) -> None:
    """The whole file, the file cut at the as-of, and one rewritten after it give the same bytes."""
    whole = series(weekdays(1000), seed=9)
    for seed in proof.seeds(ci=4, full=200):
        generator = np.random.default_rng(seed)
        cut = int(generator.integers(560, 999))
        as_of = whole.opened_at(cut - 1) + EXCHANGE_CLOSE + timedelta(hours=int(generator.integers(0, 18)))
        other = series(whole.opened_us, seed=int(generator.integers(1, 10**6)))
        files = (whole, whole.between(0, cut), _spliced(whole, other, cut))
        homes = [Home(tmp_path / f"{seed}-{index}") for index in range(len(files))]
        for home, bars in zip(homes, files, strict=True):
            import_file(
                home, _written(tmp_path / "bars.parquet", bars), instrument="ETF", interval=Interval.DAY
            )
        made = [recommend(snapshot(home, "ETF", as_of=as_of)) for home in homes]
        assert len({each.canonical() for each in made}) == 1
        assert made[0].data_as_of <= as_of


def _spliced(early: BarSeries, late: BarSeries, cut: int) -> BarSeries:
    """Return the first `cut` bars of `early`, then those of `late`, whose prices are 40 times as high."""
    times = 40.0
    columns = {
        name: np.concatenate((getattr(early, name)[:cut], getattr(late, name)[cut:] * times))
        for name in ("open", "high", "low", "close", "volume")
    }
    return BarSeries(opened_us=early.opened_us, **columns)


def _written(path: Path, bars: BarSeries) -> Path:
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    times = pa.array(bars.opened_us, type=pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"ts": times, **columns}), path)
    return path


def test_another_process_with_other_threads_and_hashes_gives_the_same_bytes() -> None:
    code = (
        "from tests.fakes.fake_bars import daily_snapshot;"
        "from when_to_invest.decision.recommend import recommend;"
        "print(recommend(daily_snapshot(900, seed=4), seed=7).digest())"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == recommend(daily_snapshot(900, seed=4), seed=7).digest()


def test_the_id_names_data_horizon_seed_and_code() -> None:
    found = daily_snapshot(900)
    made = [recommend(found), recommend(found, horizon_days=5), recommend(found, seed=1)]
    made.append(recommend(daily_snapshot(900, seed=1)))
    assert len({each.id for each in made}) == 4
    assert {each.code_version for each in made} == {code_version()}
    assert recommend(found).id == made[0].id


def test_every_number_stands_in_the_evidence_with_unit_source_and_snapshot() -> None:
    made = _at("2017-06-30")
    values = {item.value for item in made.evidence}
    shown = [made.sigma_annual, made.p_up.value, made.p_up.baseline, made.risk.score]
    shown += [part.score for part in made.risk.parts]
    shown += [number for odds in made.p_drop for number in (odds.value, odds.baseline)]
    shown += [number for each in made.return_interval for number in (each.low, each.high)]
    shown += [number for breaker in made.breakers for number in (breaker.value, breaker.threshold)]
    assert [number for number in shown if number not in values] == []
    assert all(item.snapshot == made.snapshot_hash and item.unit and item.source for item in made.evidence)
    assert len({item.id for item in made.evidence}) == len(made.evidence)


def test_the_lift_says_how_many_times_likelier_than_usual_a_fall_is() -> None:
    made = _at("2018-12-24")
    values = {item.id: item.value for item in made.evidence}
    odds = next(o for o in made.p_drop if (o.threshold_ratio, o.horizon_days) == (0.05, 21))
    assert values["drop_odds.lift"] == pytest.approx(odds.value / odds.baseline, abs=1e-5)


def test_a_market_that_never_fell_that_far_has_no_lift() -> None:
    bars = series(weekdays(900))
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[:] = column**0.01
    made = recommend(snapshot_of(bars))
    assert max(odds.value for odds in made.p_drop) < 0.0001
    assert {item.id: item.value for item in made.evidence}["drop_odds.lift"] == 1.0


def test_in_the_depth_of_december_2018_nothing_is_bought() -> None:
    made = _at("2018-12-24")
    assert made.action is Action.WAIT
    assert made.risk.score > 70
    assert {breaker.id for breaker in made.breakers if breaker.is_on} >= {"five_day_fall", "volatility_spike"}


def test_in_the_calm_rise_of_june_2017_the_budget_goes_in() -> None:
    made = _at("2017-06-30")
    assert made.action is Action.INVEST_NOW
    assert made.size_fraction > 0.9
    assert made.risk.score < 30


def test_in_the_crash_of_october_2008_nothing_is_bought_or_sold() -> None:
    made = _at("2008-10-10")
    assert (made.action, made.size_fraction) == (Action.WAIT, 0.0)
    assert made.explanation[0].outcome == "yes"


def test_in_the_long_fall_of_2002_a_holder_is_told_to_reduce() -> None:
    made = _at("2002-07-15", name="IXIC")
    assert made.action is Action.REDUCE
    assert made.size_fraction < 0.2


def test_odds_of_a_fall_are_far_higher_in_a_crash_than_in_a_calm() -> None:
    def odds(date: str) -> float:
        return next(o.value for o in _at(date).p_drop if (o.threshold_ratio, o.horizon_days) == (0.05, 21))

    assert odds("2008-10-10") > 0.5
    assert odds("2017-06-30") < 0.15


@pytest.mark.parametrize("horizon_days", [1, 5, 63, 126])
def test_any_horizon_can_be_asked_for(horizon_days: int) -> None:
    made = _at("2015-06-30", horizon_days=horizon_days)
    assert made.horizon_days == horizon_days
    assert horizon_days in {odds.horizon_days for odds in made.p_drop}


@pytest.mark.parametrize("horizon_days", [0, -1, 127])
def test_an_unusable_horizon_is_refused(horizon_days: int) -> None:
    _abstains(daily_snapshot(900), ErrorCode.BAD_ARGUMENT, horizon_days=horizon_days)


def test_too_short_a_history_is_refused() -> None:
    _abstains(daily_snapshot(524), ErrorCode.HISTORY_TOO_SHORT)
    assert recommend(daily_snapshot(525)).horizon_days == 21


def test_months_are_refused() -> None:
    _abstains(snapshot(HOME, "USMKT", as_of=datetime(2010, 1, 1, tzinfo=UTC)), ErrorCode.HISTORY_TOO_SHORT)


def test_old_prices_are_refused() -> None:
    fresh = snapshot_of(series(weekdays(900)), later=timedelta(days=5))
    assert recommend(fresh).instrument == "FAKE"
    _abstains(snapshot_of(series(weekdays(900)), later=timedelta(days=5, seconds=1)), ErrorCode.STALE_DATA)


@pytest.mark.parametrize("still", [10, 900])
def test_a_price_that_does_not_move_is_refused(still: int) -> None:
    bars = series(weekdays(900))
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[-still:] = bars.close[-still]
    _abstains(snapshot_of(bars), ErrorCode.STALE_DATA)


def test_a_price_that_is_no_number_is_refused() -> None:
    bars = series(weekdays(900))
    bars.close[400] = np.nan
    _abstains(snapshot_of(bars), ErrorCode.CORRUPT_DATA)


def test_no_volume_is_no_obstacle() -> None:
    bars = series(weekdays(900))
    bars.volume[:] = 0.0
    assert recommend(snapshot_of(bars)).instrument == "FAKE"


def test_closes_alone_are_enough() -> None:
    bars = series(weekdays(900))
    for column in (bars.open, bars.high, bars.low, bars.volume):
        column[:] = np.nan
    known = instrument().model_copy(update={"has_range": False, "has_volume": False})
    made = recommend(snapshot_of(bars, known))
    assert 0.02 < made.sigma_annual < 1.0


def test_hours_of_a_market_that_never_closes_are_enough() -> None:
    opened = int(weekdays(1)[0]) + np.arange(24 * 600) * (DAY_US // 24)
    known = instrument(interval=Interval.HOUR, session=Session.CONTINUOUS)
    made = recommend(snapshot_of(series(opened), known, later=timedelta(hours=5)))
    assert {breaker.id for breaker in made.breakers}.isdisjoint({"halt_level_1"})
    assert made.expires_at - made.as_of == timedelta(days=3)


def test_a_price_with_more_decimals_than_an_amount_has_is_told_to_the_finest_step() -> None:
    found = daily_snapshot(900)
    tiny = found.bars.close * 7.06123456789e-10
    prices = {
        name: getattr(found.bars, name) * 7.06123456789e-10 for name in ("open", "high", "low", "close")
    }
    made = recommend(snapshot_of(replace(found.bars, **prices)))
    assert float(made.reference_price_usd) == pytest.approx(tiny[-1], abs=1e-18)
    assert -made.reference_price_usd.as_tuple().exponent <= 18
