from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from home.paths import Home
from market_data import archive
from market_data.archive import load, store
from tests.fakes.fake_bars import EPOCH, FIRST_DAY, daily_snapshot, instrument, series, snapshot_of
from when_to_invest.decision.recommend import recommend
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import Snapshot

FIRST_US = int((FIRST_DAY - EPOCH).total_seconds()) * 1_000_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_stored_recommendation_can_be_made_again_bit_for_bit(home: Home) -> None:
    snapshot = daily_snapshot()
    made = recommend(snapshot)
    store(home, made, snapshot)
    kept, data = load(home, made.id)
    assert kept == made
    assert recommend(data, horizon_days=kept.horizon_days, seed=kept.seed).canonical() == made.canonical()


def test_storing_twice_changes_nothing(home: Home) -> None:
    snapshot = daily_snapshot()
    made = recommend(snapshot)
    store(home, made, snapshot)
    before = {path: path.stat().st_mtime_ns for path in home.root.rglob("*") if path.is_file()}
    store(home, made, snapshot)
    assert {path: path.stat().st_mtime_ns for path in home.root.rglob("*") if path.is_file()} == before


def test_another_snapshot_is_not_stored_under_its_name(home: Home) -> None:
    with pytest.raises(Fault, match="not made from this snapshot"):
        store(home, recommend(daily_snapshot()), daily_snapshot(seed=1))


@pytest.mark.parametrize("name", ["r-" + "0" * 24, "../../secret", "r-xyz", ""])
def test_an_unknown_recommendation_is_refused(home: Home, name: str) -> None:
    with pytest.raises(Fault) as caught:
        load(home, name)
    assert caught.value.code is ErrorCode.UNKNOWN_RECOMMENDATION


def _minutes() -> Snapshot:
    opened = FIRST_US + np.arange(60 * 24 * 40, dtype=np.int64) * 60_000_000
    return snapshot_of(series(opened), instrument(interval=Interval.MINUTE, session=Session.CONTINUOUS))


def test_very_many_bars_are_kept_the_fast_way_and_come_back_bit_for_bit(home: Home) -> None:
    snapshot = _minutes()
    assert len(snapshot.bars) >= archive.MANY_BARS
    made = recommend(daily_snapshot()).model_copy(update={"snapshot_hash": snapshot.hash})
    store(home, made, snapshot)
    assert [path.suffix for path in home.snapshots.iterdir()] == [".parquet"]
    kept, data = load(home, made.id)
    assert (kept, data.hash) == (made, snapshot.hash)


@pytest.mark.parametrize("kind", ["recommendations/*.json", "snapshots/*.npz", "snapshots/*.parquet"])
@pytest.mark.parametrize("damage", ["cut", "other", "gone"])
def test_an_altered_record_is_refused(
    home: Home, kind: str, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind.endswith("parquet"):
        monkeypatch.setattr(archive, "MANY_BARS", 1)
    snapshot, other = daily_snapshot(), daily_snapshot(seed=1)
    made, foreign = recommend(snapshot), recommend(other)
    store(home, made, snapshot)
    store(home, foreign, other)
    name = made.id if kind.endswith("json") else made.snapshot_hash
    foreign_name = foreign.id if kind.endswith("json") else foreign.snapshot_hash
    path = next(found for found in home.root.glob(kind) if found.stem == name)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "other":
        path.write_bytes(path.with_stem(foreign_name).read_bytes())
    else:
        path.unlink()
    with pytest.raises(Fault) as caught:
        load(home, made.id)
    gone = damage == "gone" and kind.endswith("json")
    expected = ErrorCode.UNKNOWN_RECOMMENDATION if gone else ErrorCode.CORRUPT_DATA
    assert caught.value.code is expected
