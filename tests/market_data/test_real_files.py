"""Every recorded file is either taken in or refused for a reason that names it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from home.paths import Home
from market_data.import_report import ImportReport
from market_data.lake import import_file
from market_data.source import latest_as_of, snapshot
from when_to_invest.decision.recommend import recommend
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval, Session

FOLDER = Path(os.environ.get("WHEN_TO_INVEST_DATA", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("WHEN_TO_INVEST_DATA"),
    reason="WHEN_TO_INVEST_DATA names no folder of recorded files",
)
REFUSED = {
    "dirty/binance_ETHUSDT_1h_tail_duplicate_bars.parquet": "row 208 (2023-06-14T10:00:00Z)",
    "dirty/binance_futures_ETHUSDT_1h_local_timezone.csv.gz": "the column 'ts' is missing",
    "dirty/cdd_BTCUSD_1h_swapped_volume_columns.csv.gz": "the column 'ts' is missing",
    "dirty/cdd_binance_ETHUSDT_1h_mixed_formats.csv.gz": "the column 'ts' is missing",
    "equity_1d/VIX_1d.parquet": "row 534 (1992-02-11T00:00:00Z): high lies below open or close",
    "macro/gold_usd_1mo.parquet": "the column 'close' is missing",
    "macro/shiller_sp500_1mo.parquet": "the column 'close' is missing",
    "trades/binance_XRPETH_trades_2019-10.parquet": "the column 'close' is missing",
}
REPAIRED = (
    "crisis/binance_BTCUSDT_5m_2019-11_2020-03-12.parquet",
    "dirty/binance_ALGOBTC_1m_2020-02_2020-03-15.parquet",
)
FLAGGED = {
    "crisis/binance_LUNAUSDT_1h_2021-04_2023-12.parquet": "the close jumps",
    "crisis/binance_USDCUSDT_1h_2021-04_2023-12.parquet": "a wick longer",
    "crisis/binance_FTTUSDT_1h_2021-04_2023-12.parquet": "the close jumps",
}
WHOLE = {
    "equity_1d/SPY_1d_adj.parquet": (8160, Session.EXCHANGE),
    "equity_1d/GSPC_1d_close.parquet": (24489, Session.EXCHANGE),
    "equity_1h/SPY_1h_unadjusted_lean.parquet": (40832, Session.EXCHANGE),
    "crypto_1h/binance_BTCUSDT_1h.parquet": (68868, Session.CONTINUOUS),
    "crypto_1m/bitfinex_BTCUSD_1m_2017-10_2018-09.parquet": (523658, Session.CONTINUOUS),
}


def _take(home: Home, name: str) -> ImportReport:
    found = re.search(r"_(1m|5m|15m|1h|1d|1mo)(?=[_.])", name)
    interval = Interval(found.group(1)) if found else Interval.DAY
    return import_file(home, FOLDER / name, instrument="REAL", interval=interval)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize(("name", "why"), REFUSED.items())
def test_a_file_that_cannot_be_trusted_is_refused(home: Home, name: str, why: str) -> None:
    with pytest.raises(Fault) as caught:
        _take(home, name)
    assert caught.value.code is ErrorCode.CORRUPT_DATA
    assert why in caught.value.message
    assert not home.lake.exists()


@pytest.mark.parametrize("name", REPAIRED)
def test_an_exactly_repeated_bar_is_dropped_with_a_note(home: Home, name: str) -> None:
    report = _take(home, name)
    assert report.dropped_duplicates == 1
    assert any("exact repeats" in note for note in report.notes)


@pytest.mark.parametrize(("name", "why"), FLAGGED.items())
def test_a_collapse_is_kept_and_flagged(home: Home, name: str, why: str) -> None:
    report = _take(home, name)
    assert report.flag_count > 0
    assert any(why in flag for flag in report.flags)


@pytest.mark.parametrize("name", WHOLE)
def test_a_sound_file_comes_in_whole(home: Home, name: str) -> None:
    report = _take(home, name)
    rows, session = WHOLE[name]
    assert (report.rows, report.session, report.dropped_duplicates) == (rows, session, 0)


@pytest.mark.parametrize(
    "name",
    [
        "equity_1d/SPY_1d_adj.parquet",
        "equity_1d/GSPC_1d_close.parquet",
        "equity_1h/SPY_1h_unadjusted_lean.parquet",
        "crypto_1h/binance_BTCUSDT_1h.parquet",
        "crypto_1h/binance_DOGEUSDT_1h.parquet",
    ],
)
def test_a_long_history_of_any_kind_gets_a_recommendation(home: Home, name: str) -> None:
    _take(home, name)
    found = snapshot(home, "REAL", as_of=latest_as_of(home, "REAL"))
    made = recommend(found)
    assert 0.0 <= made.size_fraction <= 1.0
    assert made.sigma_annual > 0.0


@pytest.mark.parametrize(
    "name",
    [
        "crypto_1m/binance_BTCUSDT_1m_2025-05-20_2025-06-30.parquet",
        "crypto_1m/bitfinex_BTCUSD_1m_2017-10_2018-09.parquet",
        "equity_1m/SPY_1m_lean_days.parquet",
        "crisis/binance_USTUSDT_15m_2021-12_2022-05.parquet",
    ],
)
def test_a_short_history_is_abstained_from(home: Home, name: str) -> None:
    _take(home, name)
    with pytest.raises(Fault) as caught:
        recommend(snapshot(home, "REAL", as_of=latest_as_of(home, "REAL")))
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT
