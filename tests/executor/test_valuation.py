"""Accounts are marked when it matters, and what loses or repeats itself too much is switched off."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from executor.diary import Diary
from executor.log import Log
from executor.valuation import Valuation
from home.clock import FixedClock
from policies.limits import HARD_LIMITS, Limits, tighten
from tests.executor.by_hand import run
from tests.fakes.fake_market import AFTER_MONDAY, FakeMarket, daily_bar, quiet_week
from tests.fakes.memory_journal import MemoryJournal
from tests.when_to_invest.samples import Story, order_intent
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.intents import Side
from when_to_invest.marks import AccountMarked
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook, fold
from when_to_invest.values import Mode


@dataclass
class Books:
    """A journal, a market and a clock, with an executor that only values."""

    limits: Limits = HARD_LIMITS
    clock: FixedClock = field(default_factory=lambda: FixedClock(AFTER_MONDAY))
    market: FakeMarket = field(default_factory=FakeMarket)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        cash_usd = Decimal(100_000)
        funded = ev.AccountFunded(at=AFTER_MONDAY, mode=Mode.REPLAY, account="main", cash_usd=cash_usd)
        self.journal.append([funded])
        self.diary = Diary(self.journal, clock=self.clock, mode=Mode.REPLAY)
        self.valuation = Valuation(
            diary=self.diary, market=self.market, limits=self.limits, log=Log(self.log)
        )

    def trade(self, number: int = 1, quantity: int = 90, *, side: Side = Side.BUY) -> None:
        """Seal, send and fill an order at 100 USD."""
        intent = order_intent(side=side, quantity=Decimal(quantity), limit_price_usd=Decimal(100))
        story = Story(intent, n=number, at=self.clock.now())
        self.journal.append(
            [*story.until_sealed(), story.sending(), story.moved(OrderStep.ACKNOWLEDGED), story.filled()]
        )

    def look(self, **later: float) -> bool:
        self.clock.move_to(self.clock.now() + timedelta(**later))
        return run(self.valuation.look())

    @property
    def marks(self) -> list[AccountMarked]:
        told = [item.event for item in self.journal.recorded]
        return [event for event in told if isinstance(event, AccountMarked)]

    @property
    def changes(self) -> list[tuple[str, TradingState, str]]:
        told = [item.event for item in self.journal.recorded]
        return [(e.scope, e.state, e.why) for e in told if isinstance(e, ev.TradingStateChanged)]

    @property
    def book(self) -> AccountBook:
        return fold(item.event for item in self.journal.recorded)


@pytest.fixture
def books() -> Books:
    made = Books()
    made.trade()
    assert made.look()
    return made


def test_an_account_that_holds_nothing_is_not_marked() -> None:
    idle = Books()
    assert not idle.look()
    assert not idle.look(days=3)
    assert idle.marks == []


def test_a_trade_is_followed_by_a_mark_with_its_prices_and_their_age(books: Books) -> None:
    (mark,) = books.marks
    assert mark.equity_usd == Decimal(100_000)
    (price,) = mark.marks
    assert (price.instrument, price.price_usd, price.source) == ("SPX", Decimal(100), "made-up")
    assert price.known_at == AFTER_MONDAY - timedelta(minutes=5)
    assert books.book.wealth.accounts["main"].marked_at == AFTER_MONDAY


def test_selling_everything_is_marked_once_more(books: Books) -> None:
    books.trade(2, side=Side.SELL)
    assert books.look(minutes=1)
    assert not books.look(days=1)
    assert [len(mark.marks) for mark in books.marks] == [1, 0]


def test_a_quiet_day_writes_one_mark_however_often_the_executor_looks(books: Books) -> None:
    for _ in range(8):
        books.look(hours=4)
    assert [mark.at.day for mark in books.marks] == [4, 5, 6]


def test_a_noticeable_change_is_marked_and_a_small_one_is_not(books: Books) -> None:
    books.market.bars["SPX"] = [*quiet_week()[:1], daily_bar(1, "100", "103", "99", "102.77")]
    books.look(hours=3)
    assert not books.look(hours=21)  # Tuesday has closed 24.93 bps of the account higher
    books.market.bars["SPX"] = [*quiet_week()[:1], daily_bar(1, "100", "103", "99", "102.78")]
    assert books.look(minutes=1)  # and now 25.02 bps
    assert books.marks[-1].equity_usd == Decimal("100250.2")


def test_the_mark_is_rounded_down_to_millionths(books: Books) -> None:
    books.market.bars["SPX"] = [*quiet_week()[:1], daily_bar(1, "100", "110", "99", "107.77777787")]
    books.look(days=1)
    assert books.marks[-1].equity_usd == Decimal("100700.000008")


@pytest.mark.parametrize(
    ("limit", "bps", "words"),
    [
        ("max_daily_loss_bps", "80", "worth more than 80 bps less than at its day's start"),
        ("max_drawdown_bps", "80", "worth more than 80 bps less than at its peak"),
    ],
)
def test_a_loss_beyond_the_limit_lets_the_account_only_reduce(limit: str, bps: str, words: str) -> None:
    books = Books(limits=tighten(HARD_LIMITS, {limit: bps}))
    books.trade()
    books.look()
    books.look(hours=3)
    books.market.bars["SPX"] = [*quiet_week()[:1], daily_bar(1, "100", "100", "90", "91")]
    books.look(hours=21)
    assert books.changes == [("account:main", TradingState.REDUCING, words)]
    books.look(hours=1)
    assert len(books.changes) == 1


def test_a_loss_within_the_limits_changes_nothing(books: Books) -> None:
    books.look(hours=3)
    books.market.bars["SPX"] = [*quiet_week()[:1], daily_bar(1, "100", "100", "50", "60")]
    books.look(hours=21)
    assert books.marks[-1].equity_usd == Decimal(96_400)
    assert books.changes == []


def test_what_has_no_price_is_not_marked_and_said_once(books: Books) -> None:
    books.market.bars["SPX"] = []
    for _ in range(3):
        assert not books.look(days=1)
    assert books.log.getvalue().count("account_unmarked") == 1
    books.market.bars["SPX"] = quiet_week()
    assert books.look(hours=1)


@pytest.mark.parametrize(
    ("side", "state"), [(Side.BUY, TradingState.REDUCING), (Side.SELL, TradingState.HALTED)]
)
def test_the_last_repetition_allowed_switches_the_instrument_off(side: Side, state: TradingState) -> None:
    books = Books(limits=tighten(HARD_LIMITS, {"max_repeated_executions": 3}))
    books.trade()
    books.look(hours=2)
    for number in (11, 12, 13):
        assert books.changes == []
        books.trade(number, 2, side=side)
        books.look(minutes=5)
    why = f"3 {side.value} orders in an hour, 3 are allowed"
    assert books.changes == [("instrument:SPX", state, why)]


def test_slow_repetitions_switch_nothing_off() -> None:
    books = Books(limits=tighten(HARD_LIMITS, {"max_repeated_executions": 3}))
    for number in range(8):
        books.trade(number, 2)
        books.look(minutes=31)
    assert books.changes == []
