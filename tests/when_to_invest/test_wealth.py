"""What accounts are worth, day by day: losses count from the right place."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.when_to_invest.samples import NOW, Story, funded, motion, order_intent
from tests.when_to_invest.tightenings import halted
from when_to_invest import events as ev
from when_to_invest.marks import AccountMarked
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.portfolio import fold
from when_to_invest.values import Mode
from when_to_invest.wealth import AccountWorth

D = Decimal
MIDNIGHT = NOW.replace(hour=0) + timedelta(days=1)


def marked(usd: str, at: datetime) -> AccountMarked:
    return AccountMarked(at=at, mode=Mode.REPLAY, account="main", equity_usd=D(usd), marks=())


def worth(*events: ev.Event) -> AccountWorth:
    return fold([funded("1000"), *events]).wealth.accounts["main"]


def test_a_funded_account_is_worth_its_cash_from_the_start() -> None:
    known = worth()
    assert (known.equity_usd, known.day_start_usd, known.peak_usd) == (D(1000), D(1000), D(1000))
    assert known.marked_at == NOW


def test_the_day_starts_with_the_last_worth_of_an_earlier_day() -> None:
    known = worth(marked("900", NOW + timedelta(hours=1)), marked("800", MIDNIGHT))
    assert (known.day_start_usd, known.equity_usd) == (D(900), D(800))
    known = worth(marked("900", NOW), marked("800", MIDNIGHT), marked("950", MIDNIGHT + timedelta(hours=2)))
    assert (known.day_start_usd, known.equity_usd) == (D(900), D(950))


def test_before_the_first_mark_of_a_day_the_newest_mark_is_its_start() -> None:
    known = worth(marked("900", NOW))
    assert known.day_start_at(NOW + timedelta(hours=2)) == D(1000)
    assert known.day_start_at(MIDNIGHT - timedelta(seconds=1)) == D(1000)
    assert known.day_start_at(MIDNIGHT) == D(900)


def test_the_peak_stays() -> None:
    assert worth(marked("1200", NOW), marked("700", MIDNIGHT)).peak_usd == D(1200)


def test_money_put_in_is_no_gain() -> None:
    known = worth(marked("900", NOW), funded("500"))
    assert (known.equity_usd, known.day_start_usd, known.peak_usd) == (D(1400), D(1500), D(1500))


def test_an_account_first_met_in_a_mark_starts_there() -> None:
    known = fold([marked("70", NOW)]).wealth.accounts["main"]
    assert (known.equity_usd, known.day_start_usd, known.peak_usd) == (D(70), D(70), D(70))


def test_a_trade_asks_for_a_mark_and_gets_it() -> None:
    story = Story(order_intent())
    traded = [*story.until_sealed(), story.sending(), story.moved(OrderStep.ACKNOWLEDGED), story.filled()]
    assert not worth().has_traded
    assert worth(*traded).has_traded
    assert not worth(*traded, marked("990", NOW)).has_traded


def test_losses_count_anew_from_where_people_resumed() -> None:
    book = fold([funded("1000"), funded("50", account="second"), marked("700", NOW)])
    book.wealth.start_anew("account:second")
    assert book.wealth.accounts["main"].peak_usd == D(1000)
    for scope in ("account:main", "system"):
        book.wealth.accounts["main"].peak_usd = D(1000)
        book.wealth.start_anew(scope)
        known = book.wealth.accounts["main"]
        assert (known.day_start_usd, known.peak_usd) == (D(700), D(700))


def test_a_resumption_in_the_journal_counts_losses_anew_and_a_stale_one_does_not() -> None:
    halt = halted()
    book = fold([funded("1000"), marked("700", NOW), halt])
    signed = motion("Resume").model_copy(update={"serial": book.standing.serial})
    resumed = ev.TradingResumed(
        at=NOW,
        mode=Mode.REPLAY,
        scope="system",
        halts_hash=book.standing.hash_of("system"),
        motion=signed,
        endorsements=(),
    )
    unmet = copy.deepcopy(book)
    unmet.apply(resumed.model_copy(update={"halts_hash": "ab" * 32}))
    assert unmet.wealth.accounts["main"].peak_usd == D(1000)
    book.apply(resumed)
    assert book.wealth.accounts["main"].peak_usd == D(700)
    assert book.trading_states == {}


def test_what_people_settled_asks_for_a_mark_too() -> None:
    story = Story(order_intent())
    told = [*story.until(OrderState.ACKNOWLEDGED), story.settled(D(0))]
    assert worth(*told).has_traded


def test_a_mark_that_was_taken_earlier_makes_the_newest_no_older() -> None:
    late, early = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    assert worth(marked("900", late), marked("800", early)).marked_at == late


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 40)), max_size=12))
def test_peak_is_the_highest_and_day_start_the_last_of_the_day_before(told: list[tuple[int, int]]) -> None:
    at, values = NOW, [(NOW, 1000)]
    events: list[ev.Event] = []
    for usd, hours in told:
        at += timedelta(hours=hours)
        values.append((at, usd))
        events.append(marked(str(usd), at))
    known = worth(*events)
    earlier = [usd for when, usd in values if when.date() < at.date()]
    assert known.peak_usd == max(usd for _, usd in values)
    assert known.day_start_usd == (earlier[-1] if earlier else 1000)
