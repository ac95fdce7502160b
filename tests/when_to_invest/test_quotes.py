"""A quote is two finite sides that do not cross, best price first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.when_to_invest.samples import NOW
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.quotes import Quote

D = Decimal
SOUND: dict[str, Any] = {
    "instrument": "SPX",
    "at": NOW,
    "bid_usd": D("99.9"),
    "bid_quantity": D(3),
    "ask_usd": D("100.1"),
    "ask_quantity": D(2),
}


def test_a_quote_knows_its_middle_and_its_spread() -> None:
    quote = Quote(**SOUND)
    assert (quote.mid_usd, quote.spread_usd) == (D(100), D("0.2"))


def test_levels_follow_the_best_price() -> None:
    bids = ((D("99.9"), D(3)), (D("99.8"), D(10)))
    asks = ((D("100.1"), D(2)), (D("100.2"), D(9)))
    assert Quote(**SOUND, bids=bids, asks=asks).asks == asks


@pytest.mark.parametrize(
    "change",
    [
        {"bid_usd": D(0)},
        {"bid_usd": D("NaN")},
        {"ask_usd": D("Infinity")},
        {"bid_quantity": D(-1)},
        {"ask_quantity": D(0)},
        {"ask_usd": D("99.9")},
        {"bid_usd": D("100.2")},
        {"at": NOW.replace(tzinfo=None)},
        {"bids": ((D("99.8"), D(3)),)},
        {"bids": ((D("99.9"), D(3)), (D("99.9"), D(1)))},
        {"asks": ((D("100.1"), D(2)), (D("100.0"), D(1)))},
        {"asks": ((D("100.1"), D(2)), (D("100.2"), D(0)))},
        {"asks": ((D("100.1"), D(2)), (D("NaN"), D(1)))},
    ],
)
def test_a_quote_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Fault) as refused:
        Quote(**SOUND | change)
    assert refused.value.code is ErrorCode.CORRUPT_DATA
