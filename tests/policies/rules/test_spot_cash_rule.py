"""Buys are paid with cash at hand, fees included: no leverage."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given

from tests.strategies.situations import (
    D,
    Situation,
    book,
    other_decision,
    reservation,
)
from tests.strategies.spoilers import (
    near_prices,
    too_many,
)
from when_to_invest.intents import Side


def crowded(cash_usd: str = "30000", bought: str = "100") -> Situation:
    return Situation(book=book(cash_usd=cash_usd, reserved={other_decision(1): reservation(bought)}))


def test_cash_that_covers_order_open_buys_and_fees_passes() -> None:
    assert crowded("11022", "100").objection("spot_cash") is None
    broke = Situation(book=book(cash_usd=None, held={"SPX": 10})).asking(side=Side.SELL)
    assert broke.objection("spot_cash") is None


def test_a_cent_less_is_refused() -> None:
    said = crowded("11021.99", "100").objection("spot_cash")
    assert said is not None
    assert (said.code, said.limit, said.attempted) == ("cash_insufficient", "1001.99", "1002")
    assert said.overage == "0.01"


def test_cash_that_is_promised_twice_leaves_nothing() -> None:
    said = crowded("100", "100").objection("spot_cash")
    assert said is not None
    assert said.limit == "0"
    assert said.fix == "no buy of SPX fits now"


def test_an_account_that_was_never_funded_buys_nothing() -> None:
    said = Situation(book=book(cash_usd=None)).objection("spot_cash")
    assert said is not None
    assert said.code == "missing_fact"


def test_another_accounts_cash_is_not_ours() -> None:
    assert "missing_fact" in Situation().asking(account="second").codes()


@given(too_many, near_prices)
def test_what_the_refusal_says_would_pass_does_and_no_lot_more(quantity: Decimal, usd: Decimal) -> None:
    situation = crowded().asking(quantity=quantity, limit_price_usd=usd)
    said = situation.objection("spot_cash")
    assert said is not None
    named = re.fullmatch(r"at most ([0-9.]+) of SPX at this price", said.fix)
    assert named is not None
    assert situation.asking(quantity=D(named[1])).objection("spot_cash") is None
    assert situation.asking(quantity=D(named[1]) + D("0.01")).objection("spot_cash") is not None
