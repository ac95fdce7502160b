from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_data.quality import Cleaned, clean_bars
from market_data.tables import read_bars
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval

GOOD = [f"2020-01-{day:02d}T00:00:00Z,10,12,9,11,5" for day in range(1, 8)]


def _clean(folder: Path, rows: list[str], *, header: str = "ts,open,high,low,close,volume") -> Cleaned:
    path = folder / "bars.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return clean_bars(read_bars(path), interval=Interval.DAY)


def _message(folder: Path, rows: list[str], **options: str) -> str:
    with pytest.raises(Fault) as caught:
        _clean(folder, rows, **options)
    assert caught.value.code is ErrorCode.CORRUPT_DATA
    assert caught.value.fix
    return caught.value.message


BAD_ROWS = {
    "2020-01-03T00:00:00Z,10,12,9,,5": "close is not a number",
    "2020-01-03T00:00:00Z,10,12,9,nan,5": "close is not a number",
    "2020-01-03T00:00:00Z,10,inf,9,11,5": "high is not a number",
    "2020-01-03T00:00:00Z,10,12,9,abc,5": "close is 'abc', not a number",
    "2020-01-03T00:00:00Z,10,12,0,11,5": "low is not above zero",
    "2020-01-03T00:00:00Z,-1,12,9,11,5": "open is not above zero",
    "2020-01-03T00:00:00Z,10,10.5,9,11,5": "high lies below open or close",
    "2020-01-03T00:00:00Z,10,12,10.5,11,5": "low lies above open or close",
    "2020-01-03T00:00:00Z,10,12,9,11,-5": "volume is not a number of zero or more",
    "2020-01-03T00:00:00,10,12,9,11,5": "has no time zone",
    "2020-01-03T00:00:00+02:00,10,12,9,11,5": "is a local time",
    "03.01.2020,10,12,9,11,5": "not an ISO 8601 time",
    "1577923200,10,12,9,11,5": "not an ISO 8601 time",
    "2020-01-03T07:00:00Z,10,12,9,11,5": "a 1d bar cannot open at that time",
    "2020-01-02T00:00:00Z,10,12,9,11.5,5": "a second bar of the same time with other values",
    "2020-01-01T00:00:00Z,10,12,9,11,5": "the time goes back",
    "2020-01-03T00:00:00Z,10,12,9,11": "has 5 fields",
}


@pytest.mark.parametrize(("row", "why"), BAD_ROWS.items())
def test_a_bad_bar_is_named_by_its_row_and_fault(tmp_path: Path, row: str, why: str) -> None:
    message = _message(tmp_path, [*GOOD[:2], row, *GOOD[3:]])
    assert "row 4" in message
    assert why in message


def test_a_bar_that_repeats_its_neighbour_exactly_is_dropped_with_a_note(tmp_path: Path) -> None:
    cleaned = _clean(tmp_path, [*GOOD[:3], GOOD[2], *GOOD[3:]])
    assert len(cleaned.series) == len(GOOD)
    assert cleaned.dropped_duplicates == 1
    assert cleaned.notes == ("exact repeats of a bar dropped: 1",)


def test_newest_first_is_refused(tmp_path: Path) -> None:
    assert "the time goes back" in _message(tmp_path, GOOD[::-1])


def test_the_wrong_interval_is_refused(tmp_path: Path) -> None:
    weekly = [f"2020-01-{day:02d}T00:00:00Z,10,12,9,11,5" for day in (1, 8, 15, 22)]
    assert "the bars are not 1d apart" in _message(tmp_path, weekly)


def test_a_missing_close_column_is_refused(tmp_path: Path) -> None:
    assert "'close' is missing" in _message(tmp_path, ["2020-01-01,3"], header="ts,price")


def test_half_a_bar_is_refused(tmp_path: Path) -> None:
    message = _message(tmp_path, ["2020-01-01,3,4"], header="ts,high,close")
    assert "neither a full bar nor a close alone" in message


def test_one_bar_is_not_a_history(tmp_path: Path) -> None:
    assert "the file has 1 bars" in _message(tmp_path, GOOD[:1])


def test_a_close_alone_is_accepted_and_says_what_it_cannot_support(tmp_path: Path) -> None:
    rows = [f"2020-01-{day:02d},{10 + day}" for day in range(1, 8)]
    cleaned = _clean(tmp_path, rows, header="ts,close")
    assert not cleaned.has_range
    assert not cleaned.has_volume
    assert any("close only" in note for note in cleaned.notes)
    assert any("no volume" in note for note in cleaned.notes)


def test_an_absurd_jump_is_kept_and_flagged_with_its_row(tmp_path: Path) -> None:
    cleaned = _clean(tmp_path, [*GOOD[:2], "2020-01-03T00:00:00Z,30,32,29,31,5", *GOOD[3:]])
    assert [flag.row for flag in cleaned.flags] == [4, 5]
    assert len(cleaned.series) == len(GOOD)


@given(
    at=st.integers(0, 6), column=st.integers(1, 4), junk=st.sampled_from(["", "nan", "-1", "0", "inf", "x"])
)
def test_no_junk_price_ever_passes(
    tmp_path_factory: pytest.TempPathFactory, at: int, column: int, junk: str
) -> None:
    cells = GOOD[at].split(",")
    cells[column] = junk
    message = _message(tmp_path_factory.mktemp("bars"), [*GOOD[:at], ",".join(cells), *GOOD[at + 1 :]])
    assert f"row {at + 2}" in message
