"""Sizing and pricing only ever shrink what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fake_market import SPX
from tests.tool_servers.bench import proposal
from tool_servers.orders.proposal import (
    Setting,
    ensure_same_request,
    intent_of,
    quantity_of,
    rounded_inward,
)
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.market import ReferencePrice
from when_to_invest.values import Mode

SETTING = Setting(Mode.REPLAY, "main", "paper", datetime(2018, 6, 4, 22, tzinfo=UTC))
prices = st.decimals(min_value="0.02", max_value="100000", places=6)
amounts = st.decimals(min_value="1000", max_value="1000000", places=2)


def made(
    notional_usd: str, *, reference: str = "100", limit: str | None = None, side: str = "buy"
) -> OrderIntent:
    return intent_of(
        proposal(notional_usd, limit=limit, side=side),
        proposer="agent",
        instrument=SPX,
        reference=ReferencePrice(Decimal(reference), SETTING.now, "made-up"),
        setting=SETTING,
    )


@given(price=prices, side=st.sampled_from(Side))
def test_a_limit_is_a_tick_and_never_worse_than_asked(price: Decimal, side: Side) -> None:
    rounded = rounded_inward(price, side=side, tick_usd=SPX.tick_size_usd)
    assert rounded % SPX.tick_size_usd == 0
    assert abs(rounded - price) < SPX.tick_size_usd
    assert (price - rounded) * side.sign >= 0


@given(notional=amounts, price=prices)
def test_a_quantity_is_whole_lots_and_never_dearer_than_asked(notional: Decimal, price: Decimal) -> None:
    quantity = quantity_of(notional, limit_usd=price, instrument=SPX)
    assert quantity % SPX.lot_size == 0
    assert quantity * price <= notional < (quantity + SPX.lot_size) * price


@pytest.mark.parametrize(("side", "limit"), [("buy", "101.23"), ("sell", "99.23")])
def test_the_default_limit_lies_100_bps_beyond_the_reference_rounded_inward(side: str, limit: str) -> None:
    assert made("5000", reference="100.2345", side=side).limit_price_usd == Decimal(limit) + (
        0 if side == "buy" else Decimal("0.01")
    )


def test_less_than_one_lot_is_an_error_that_names_the_least() -> None:
    with pytest.raises(Fault, match="less than one lot") as error:
        made("0.05")
    assert error.value.code is ErrorCode.BAD_AMOUNT
    assert "0.101 USD" in error.value.fix


def test_a_buy_limit_below_a_tick_is_an_error() -> None:
    with pytest.raises(Fault) as error:
        made("5000", limit="0.001")
    assert error.value.code is ErrorCode.BAD_AMOUNT


limits = st.none() | st.decimals(min_value="0.02", max_value="100000", places=6)


@given(notional=amounts, reference=prices, limit=limits, side=st.sampled_from(["buy", "sell"]))
def test_a_repetition_is_recognised_whatever_was_asked(
    notional: Decimal, reference: Decimal, limit: Decimal | None, side: str
) -> None:
    asked = proposal(str(notional), limit=None if limit is None else str(limit), side=side)
    known = ReferencePrice(reference, SETTING.now, "made-up")
    intent = intent_of(asked, proposer="agent", instrument=SPX, reference=known, setting=SETTING)
    ensure_same_request(asked, intent, SPX)
