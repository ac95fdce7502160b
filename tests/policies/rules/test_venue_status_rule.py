"""A venue that does not trade gets no buys; the way out stays open."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.strategies.situations import Situation, book
from tests.strategies.spoilers import situations
from when_to_invest.intents import Side
from when_to_invest.recent import Recent
from when_to_invest.venue_status import TradingStatus

STOPPED = [TradingStatus.HALTED, TradingStatus.DOWN]


def at(status: TradingStatus | None, venue: str = "paper") -> Situation:
    known = book()
    known.recent = Recent(venue_statuses={} if status is None else {venue: status})
    return Situation(book=known)


@pytest.mark.parametrize("status", [None, TradingStatus.OPEN, TradingStatus.CLOSED])
def test_a_venue_that_trades_or_rests_passes(status: TradingStatus | None) -> None:
    assert at(status).objection("venue_status") is None


@pytest.mark.parametrize("status", STOPPED)
def test_a_venue_that_stopped_is_refused_for_buys_alone(status: TradingStatus) -> None:
    said = at(status).objection("venue_status")
    assert said is not None
    assert (said.code, said.attempted, said.fix) == (
        "venue_not_trading",
        status.value,
        "wait until paper trades again",
    )
    assert at(status).asking(side=Side.SELL).objection("venue_status") is None
    assert at(status, "elsewhere").objection("venue_status") is None


@given(situations())
def test_no_buy_reaches_a_venue_that_stopped(situation: Situation) -> None:
    situation.book.recent.venue_statuses[situation.intent.venue] = TradingStatus.DOWN
    assert (situation.objection("venue_status") is None) == (situation.intent.side is Side.SELL)
