"""Recorded bars fill a limit order conservatively and never before they are public."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.venues.matching import (
    Ended,
    Execution,
    Resting,
    RestingOrder,
    fee_of,
    outcome,
    session_end,
    worsened,
)
from executor.venues.port import VenueStatus
from tests.fakes.fake_market import (
    AFTER_MONDAY,
    MONDAY,
    SPX,
    TUESDAY_CLOSE,
    TUESDAY_OPEN,
    FakeMarket,
    daily_bar,
)
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.market import Bar

LATER = MONDAY + timedelta(days=4)


def order(**changes: Any) -> RestingOrder:
    given: dict[str, Any] = {
        "side": Side.BUY,
        "quantity": Decimal(10),
        "limit_price_usd": Decimal("100.50"),
        "time_in_force": TimeInForce.DAY,
        "accepted_at": AFTER_MONDAY,
    }
    return RestingOrder(**given | changes)


def after(
    *bars: Bar, now: datetime = LATER, of: Instrument = SPX, resting: RestingOrder | None = None
) -> Execution | Ended | Resting:
    market = FakeMarket(instruments=(of,), bars={of.id: list(bars)})
    return outcome(
        resting or order(),
        instrument=of,
        next_bar=lambda since: market.next_bar(of.id, after=since, until=now),
        now=now,
        slippage_bps=Decimal(2),
    )


def test_it_fills_at_the_first_open_after_acceptance_worsened_by_the_slippage() -> None:
    assert after(daily_bar(1, "100", "101", "99", "100")) == Execution(Decimal("100.02"), TUESDAY_OPEN)


def test_a_sell_gets_less_than_the_open() -> None:
    selling = order(side=Side.SELL, limit_price_usd=Decimal(99))
    assert after(daily_bar(1, "100", "101", "99", "100"), resting=selling) == Execution(
        Decimal("99.98"), TUESDAY_OPEN
    )


def test_the_bar_in_whose_session_it_was_accepted_is_not_used() -> None:
    assert after(daily_bar(0, "90", "91", "89", "90"), now=AFTER_MONDAY) == Resting()


def test_a_bar_that_has_not_opened_is_not_known() -> None:
    bar = daily_bar(1, "100", "101", "99", "100")
    assert after(bar, now=TUESDAY_OPEN - timedelta(microseconds=1)) == Resting()
    assert after(bar, now=TUESDAY_OPEN) == Execution(Decimal("100.02"), TUESDAY_OPEN)


def test_the_range_of_a_bar_is_not_known_before_it_closes() -> None:
    bar = daily_bar(1, "102", "103", "95", "102")
    assert after(bar, now=TUESDAY_CLOSE - timedelta(microseconds=1)) == Resting()
    assert after(bar, now=TUESDAY_CLOSE) == Execution(Decimal("100.50"), TUESDAY_CLOSE)


def test_a_range_that_only_touches_the_limit_fills_nothing() -> None:
    # Worsened by 2 bps and to the next tick, 100.47 is 100.50, the limit; 100.46 is 100.49.
    touching, through = (daily_bar(1, "102", "103", low, "102") for low in ("100.47", "100.46"))
    assert after(touching) == Ended(VenueStatus.EXPIRED, TUESDAY_CLOSE)
    assert after(through) == Execution(Decimal("100.50"), TUESDAY_CLOSE)


def test_a_sell_is_filled_by_a_high_that_went_through_its_limit() -> None:
    selling = order(side=Side.SELL, limit_price_usd=Decimal(105))
    through = daily_bar(1, "100", "106", "99", "100")
    assert after(through, resting=selling) == Execution(Decimal(105), TUESDAY_CLOSE)


def test_an_ioc_order_that_cannot_fill_at_the_first_open_is_cancelled() -> None:
    ioc = order(time_in_force=TimeInForce.IOC)
    dear = daily_bar(1, "102", "103", "95", "102")
    assert after(dear, resting=ioc) == Ended(VenueStatus.CANCELLED, TUESDAY_OPEN)


def test_a_day_order_does_not_live_into_the_next_session() -> None:
    cheap_tomorrow = daily_bar(2, "90", "91", "89", "90")
    assert after(daily_bar(1, "102", "103", "101", "102"), cheap_tomorrow) == Ended(
        VenueStatus.EXPIRED, TUESDAY_CLOSE
    )


def test_without_a_session_a_day_order_keeps_resting() -> None:
    assert after(now=LATER) == Resting()


HOURLY = Instrument(
    id="BTC/USDT",
    name="made-up coin",
    interval=Interval.HOUR,
    session=Session.CONTINUOUS,
    has_range=True,
    has_volume=True,
    lot_size=Decimal("0.001"),
    tick_size_usd=Decimal("0.01"),
    min_notional_usd=Decimal(10),
)


def hourly(hour: int, *prices: str) -> Bar:
    opened_at = MONDAY + timedelta(hours=hour)
    opening, high, low, close = (Decimal(price) for price in prices)
    return Bar(opened_at, opened_at + timedelta(hours=1), opening, high, low, close, Decimal(1))


def test_a_later_bar_of_the_same_day_can_fill_at_its_open() -> None:
    bars = (hourly(22, "102", "103", "101", "102"), hourly(23, "100", "101", "99", "100"))
    assert after(*bars, of=HOURLY) == Execution(Decimal("100.02"), MONDAY + timedelta(hours=23))


def test_a_market_that_never_closes_has_days_that_do() -> None:
    bars = (hourly(22, "102", "103", "101", "102"), hourly(24, "90", "91", "89", "90"))
    assert after(*bars, of=HOURLY) == Ended(VenueStatus.EXPIRED, MONDAY + timedelta(days=1))


def test_an_exchange_session_ends_at_its_own_close() -> None:
    minutes = HOURLY.model_copy(update={"session": Session.EXCHANGE})
    assert session_end(MONDAY + timedelta(hours=15), instrument=minutes) == MONDAY + timedelta(hours=21)
    assert session_end(MONDAY + timedelta(hours=22), instrument=minutes) == MONDAY + timedelta(hours=45)


def test_fees_are_rounded_up_to_the_cent() -> None:
    assert fee_of(Decimal("1000.01"), fee_bps=Decimal(5)) == Decimal("0.51")
    assert fee_of(Decimal(1000), fee_bps=Decimal(0)) == 0


PRICES = st.decimals(min_value=Decimal(1), max_value=Decimal(5000), places=4)


@given(price=PRICES, slippage=st.integers(0, 500), side=st.sampled_from(Side))
def test_slippage_and_rounding_never_favour_the_trader(price: Decimal, slippage: int, side: Side) -> None:
    got = worsened(price, side=side, slippage_bps=Decimal(slippage), tick_usd=SPX.tick_size_usd)
    assert (got - price) * side.sign >= 0
    assert got % SPX.tick_size_usd == 0


@st.composite
def weeks(draw: st.DrawFn) -> list[Bar]:
    bars = []
    for day in range(1, 5):
        low, opening, close, high = sorted(draw(st.integers(9000, 11000)) for _ in range(4))
        if draw(st.booleans()):
            opening, close = close, opening
        bars.append(daily_bar(day, *(str(Decimal(cents) / 100) for cents in (opening, high, low, close))))
    return bars


@given(
    bars=weeks(),
    side=st.sampled_from(Side),
    limit=st.integers(9000, 11000),
    time_in_force=st.sampled_from(TimeInForce),
    hours=st.lists(st.integers(0, 120), min_size=1, max_size=6),
)
def test_a_fill_respects_the_limit_and_does_not_depend_on_when_one_asks(
    bars: list[Bar], side: Side, limit: int, time_in_force: TimeInForce, hours: list[int]
) -> None:
    resting = order(side=side, limit_price_usd=Decimal(limit) / 100, time_in_force=time_in_force)
    final = after(*bars, now=AFTER_MONDAY + timedelta(hours=120), resting=resting)
    if isinstance(final, Execution):
        assert (resting.limit_price_usd - final.price_usd) * side.sign >= 0
        assert final.at > resting.accepted_at
    for hour in hours:
        now = AFTER_MONDAY + timedelta(hours=hour)
        asked = after(*bars, now=now, resting=resting)
        assert asked in (Resting(), final)
        if not isinstance(final, Resting) and final.at <= now:
            assert asked == final


def test_what_will_only_be_known_later_changes_nothing_now() -> None:
    now = TUESDAY_OPEN + timedelta(hours=1)
    cheap, dear = daily_bar(1, "102", "150", "50", "70"), daily_bar(1, "102", "102", "102", "102")
    assert after(cheap, daily_bar(2, "1", "1", "1", "1"), now=now) == after(dear, now=now) == Resting()


@pytest.mark.parametrize("side", Side)
def test_a_price_of_zero_is_no_price(side: Side) -> None:
    selling = order(side=side, limit_price_usd=Decimal("0.01"))
    assert not isinstance(after(daily_bar(1, "0", "0", "0", "0"), resting=selling), Execution)
