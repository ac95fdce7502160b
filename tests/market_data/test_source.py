from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.paths import Home
from market_data.recorded import recorded_bars
from market_data.source import (
    closing_times,
    exact_price,
    latest_as_of,
    next_bar,
    parse_as_of,
    reference_price,
    snapshot,
)
from tests.fakes.fake_bars import EPOCH, instrument, series
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import closed_at, tradable_from

HOME = Home(Path("nowhere"))
INSTANTS = st.datetimes(datetime(1999, 1, 6), datetime(2019, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001  zoned by the strategy


def test_a_date_means_the_last_second_of_that_day() -> None:
    assert parse_as_of("2018-12-24") == datetime(2018, 12, 24, 23, 59, 59, tzinfo=UTC)


def test_an_instant_is_itself() -> None:
    assert parse_as_of("2018-12-24T16:00:00-05:00") == datetime(2018, 12, 24, 21, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2018-12-24T21:00:00", "yesterday", "2018-13-01", "", "20181224T21"])
def test_a_date_that_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_as_of(text)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


@pytest.mark.proof
@given(as_of=INSTANTS, name=st.sampled_from(["SPX", "IXIC", "USMKT"]))
def test_no_snapshot_holds_a_bar_that_had_not_closed(as_of: datetime, name: str) -> None:
    found, everything = snapshot(HOME, name, as_of=as_of), recorded_bars(name)
    known, count = found.instrument, len(found.bars)
    assert found.data_as_of <= as_of
    if count < len(everything):
        following = closed_at(everything.opened_at(count), interval=known.interval, session=known.session)
        assert following > as_of


@given(
    interval=st.sampled_from(list(Interval)),
    session=st.sampled_from(list(Session)),
    days=st.lists(st.integers(0, 20_000), min_size=1, max_size=20, unique=True),
)
def test_closing_times_of_a_column_are_those_of_its_bars(
    interval: Interval, session: Session, days: list[int]
) -> None:
    months = np.array(sorted(days)).astype("datetime64[D]").astype("datetime64[M]")
    opened = np.unique(months).astype("datetime64[us]").astype(np.int64)
    bars, known = series(opened), instrument(interval=interval, session=session)
    expected = [closed_at(bars.opened_at(at), interval=interval, session=session) for at in range(len(bars))]
    assert [EPOCH + timedelta(microseconds=int(us)) for us in closing_times(bars, known)] == expected


def test_before_the_first_close_there_is_nothing_to_say() -> None:
    with pytest.raises(Fault, match="the first closed at 1999-01-04T21:00:00Z") as caught:
        snapshot(HOME, "SPX", as_of=datetime(1999, 1, 4, 20, 59, 59, tzinfo=UTC))
    assert caught.value.code is ErrorCode.AS_OF_BEFORE_DATA
    assert len(snapshot(HOME, "SPX", as_of=datetime(1999, 1, 4, 21, tzinfo=UTC)).bars) == 1


def test_the_latest_as_of_sees_every_bar() -> None:
    as_of = latest_as_of(HOME, "SPX")
    assert as_of == datetime(2018, 12, 31, 21, tzinfo=UTC)
    assert len(snapshot(HOME, "SPX", as_of=as_of).bars) == len(recorded_bars("SPX"))


def test_the_reference_price_is_the_last_close_to_the_last_digit() -> None:
    found = reference_price(HOME, "SPX", now=datetime(2018, 12, 27, 15, tzinfo=UTC))
    assert found is not None
    assert found.price_usd == Decimal("2467.699951")
    assert found.known_at == datetime(2018, 12, 26, 21, tzinfo=UTC)
    assert found.source == "recorded:SPX:1d"


def test_before_the_data_there_is_no_reference_price() -> None:
    assert reference_price(HOME, "SPX", now=datetime(1998, 1, 1, tzinfo=UTC)) is None


@pytest.mark.proof
@given(after=INSTANTS, hours=st.integers(0, 200))
def test_the_next_bar_is_the_first_that_opens_in_the_window(after: datetime, hours: int) -> None:
    until = after + timedelta(hours=hours)
    bars = recorded_bars("SPX")
    openings = [
        tradable_from(bars.opened_at(at), interval=Interval.DAY, session=Session.EXCHANGE)
        for at in np.flatnonzero(
            np.abs(bars.opened_us - (after - EPOCH) // timedelta(microseconds=1)) < 10**12
        )
    ]
    expected = min((opening for opening in openings if after < opening <= until), default=None)
    found = next_bar(HOME, "SPX", after=after, until=until)
    opened = found and tradable_from(found.opened_at, interval=Interval.DAY, session=Session.EXCHANGE)
    assert opened == expected


def test_the_next_bar_carries_exact_prices() -> None:
    found = next_bar(
        HOME,
        "SPX",
        after=datetime(2018, 12, 24, 21, tzinfo=UTC),
        until=datetime(2018, 12, 31, tzinfo=UTC),
    )
    assert found is not None
    assert found.open_usd == Decimal("2363.120117")
    assert found.closed_at == datetime(2018, 12, 26, 21, tzinfo=UTC)


def test_nothing_can_fill_where_only_closes_are_known() -> None:
    since = datetime(2000, 1, 1, tzinfo=UTC)
    assert next_bar(HOME, "USMKT", after=since, until=since + timedelta(days=90)) is None


@given(value=st.floats(1e-12, 1e9))
def test_a_price_is_exact_up_to_eighteen_decimals(value: float) -> None:
    price = exact_price(value)
    assert -int(price.as_tuple().exponent) <= 18
    assert float(price) == pytest.approx(value, rel=1e-6)
