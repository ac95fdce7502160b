from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from home.paths import Home
from market_data import lake, source
from market_data.catalogue import instrument, list_instruments
from market_data.durable import write_atomically
from market_data.import_report import ImportReport
from market_data.lake import import_file
from tests.fakes.fake_bars import DAY_US, series, weekdays
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import BarSeries


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def _parquet(path: Path, bars: BarSeries) -> Path:
    columns = {
        "ts": pa.array(bars.opened_us, type=pa.timestamp("us", tz="UTC")),
        **{name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")},
    }
    pq.write_table(pa.table(columns), path)
    return path


def _csv(path: Path, bars: BarSeries) -> Path:
    times = np.datetime_as_string(bars.opened_us.astype("datetime64[us]"), unit="s", timezone="UTC")
    rows = zip(times, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    text = "\n".join(["ts,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)])
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def _take(home: Home, path: Path, *, name: str = "ETF") -> ImportReport:
    return import_file(home, path, instrument=name, interval=Interval.DAY, venue="somewhere")


def _read(home: Home, name: str) -> BarSeries:
    return source.snapshot(home, name, as_of=source.latest_as_of(home, name)).bars


@pytest.mark.parametrize("kind", ["bars.parquet", "bars.csv", "bars.csv.gz"])
def test_every_kind_of_file_comes_back_bit_for_bit(home: Home, tmp_path: Path, kind: str) -> None:
    bars = series(weekdays(30))
    write = _parquet if kind.endswith("parquet") else _csv
    report = _take(home, write(tmp_path / kind, bars))
    found = _read(home, "ETF")
    assert report.rows == 30
    for name in ("opened_us", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(found, name), getattr(bars, name))


def test_a_daily_file_without_weekends_belongs_to_an_exchange(home: Home, tmp_path: Path) -> None:
    assert _take(home, _parquet(tmp_path / "a.parquet", series(weekdays(30)))).session is Session.EXCHANGE


def test_a_daily_file_with_weekends_is_continuous(home: Home, tmp_path: Path) -> None:
    everyday = weekdays(1)[0] + np.arange(30) * DAY_US
    assert _take(home, _parquet(tmp_path / "a.parquet", series(everyday))).session is Session.CONTINUOUS


def test_a_pair_not_quoted_in_dollars_is_never_tradable(home: Home, tmp_path: Path) -> None:
    path = _parquet(tmp_path / "a.parquet", series(weekdays(30)))
    assert not _take(home, path, name="ALGO/BTC").is_tradable
    assert _take(home, path, name="BTC/USDT").is_tradable
    assert _take(home, path, name="BRK.B").is_tradable


def test_the_catalogue_lists_what_was_imported(home: Home, tmp_path: Path) -> None:
    _take(home, _parquet(tmp_path / "a.parquet", series(weekdays(30))), name="BTC/USDT")
    assert [known.id for known in list_instruments(home)] == ["SPX", "IXIC", "USMKT", "BTC/USDT"]
    assert instrument(home, "BTC/USDT").venue == "somewhere"


def test_an_unknown_instrument_is_answered_with_the_known_ones(home: Home) -> None:
    with pytest.raises(Fault, match="known are SPX, IXIC, USMKT") as caught:
        instrument(home, "SPY")
    assert caught.value.code is ErrorCode.UNKNOWN_INSTRUMENT


@pytest.mark.parametrize("name", ["SPX", "../x", "btc", "", "A" * 25, "A B"])
def test_an_unusable_id_is_refused(home: Home, tmp_path: Path, name: str) -> None:
    with pytest.raises(Fault) as caught:
        _take(home, _parquet(tmp_path / "a.parquet", series(weekdays(30))), name=name)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
    assert not home.root.exists()


def test_an_id_with_dots_and_slashes_stays_inside_the_lake(home: Home, tmp_path: Path) -> None:
    _take(home, _parquet(tmp_path / "a.parquet", series(weekdays(30))), name="A/../../B")
    assert [path.name for path in home.lake.iterdir()] == ["A~..~..~B"]


def test_a_refused_file_leaves_the_lake_as_it_was(home: Home, tmp_path: Path) -> None:
    good = series(weekdays(30))
    _take(home, _parquet(tmp_path / "good.parquet", good))
    before = {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()}
    close = good.close.copy()
    close[7] = np.nan
    bad = BarSeries(good.opened_us, good.open, good.high, good.low, close, good.volume)
    with pytest.raises(Fault, match="row 8"):
        _take(home, _parquet(tmp_path / "bad.parquet", bad))
    assert {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()} == before


def test_a_write_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "lake" / "file"

    def breaks(fresh: Path) -> None:
        fresh.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(Fault, match="No space left") as caught:
        write_atomically(target, breaks)
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert list(target.parent.iterdir()) == []


def test_a_later_import_replaces_the_bars(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    _take(home, _parquet(path, series(weekdays(30))))
    assert len(_read(home, "ETF")) == 30
    _take(home, _parquet(path, series(weekdays(40))))
    assert len(_read(home, "ETF")) == 40


@pytest.mark.parametrize("where", [0.3, 0.5, 0.8])
def test_a_damaged_file_is_refused_and_never_half_read(home: Home, tmp_path: Path, where: float) -> None:
    _take(home, _parquet(tmp_path / "a.parquet", series(weekdays(400))))
    path = next(home.lake.rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[int(len(data) * where)] ^= 0xFF
    path.write_bytes(bytes(data))
    lake._entry.cache_clear()
    lake._bars.cache_clear()
    with pytest.raises(Fault) as caught:
        _read(home, "ETF")
    assert caught.value.code is ErrorCode.CORRUPT_DATA


def test_a_text_file_in_disguise_is_refused(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("ts,close\n2020-01-01,1\n")
    with pytest.raises(Fault, match="not readable Parquet"):
        _take(home, path)


def test_a_naive_parquet_column_is_refused(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"ts": pa.array([0, DAY_US], type=pa.timestamp("us")), "close": [1.0, 2.0]}), path
    )
    with pytest.raises(Fault, match="names no instant"):
        _take(home, path)


def test_prices_far_below_a_cent_keep_a_usable_tick(home: Home, tmp_path: Path) -> None:
    bars = series(weekdays(30))
    tiny = BarSeries(
        bars.opened_us, bars.open * 1e-7, bars.high * 1e-7, bars.low * 1e-7, bars.close * 1e-7, bars.volume
    )
    _take(home, _parquet(tmp_path / "a.parquet", tiny))
    tick = instrument(home, "ETF").tick_size_usd
    assert Decimal("1e-6") <= tick / Decimal(repr(float(tiny.close[0]))) <= Decimal("1e-5")


@pytest.mark.parametrize("text", ["SPX\0", "../../keys", "a" * 300, "", "S\ud800", "spx"])
def test_a_text_that_could_be_no_id_is_looked_for_nowhere(tmp_path: Path, text: str) -> None:
    assert lake.lake_entry(Home(tmp_path), text) is None
