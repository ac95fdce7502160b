"""After a loss half of each position, or all of it, is offered: through the gate, once, whatever dies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from executor.venues.port import VenueStatus
from home.callers import RISK
from home.settings import OnLoss, RiskSettings, Settings
from ledger.journal import Head
from policies.losses import loss_why
from tests.executor.whole import Whole
from tests.fakes.fake_market import daily_bar
from tests.tool_servers.bench import ALICE, BOB, NOW, MarketOfTests, RacingJournal, signed
from tests.when_to_invest.samples import Story, order_intent
from tests.when_to_invest.tightenings import halted, reducing
from tool_servers.orders.declining import Refusal
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.orders import OrderStep

PEOPLE = {"alice": ALICE.address, "bob": BOB.address}
A_DAY_AND_A_BIT = timedelta(days=1, minutes=5)
HELD = Decimal(500)


class DiedError(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


class MortalJournal(RacingJournal):
    """Dies before or after one append."""

    dies_at: int | None = None
    is_written_first = False
    appends = 0

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        self.appends += 1
        if self.appends != self.dies_at:
            return super().append(events, expected=expected)
        if self.is_written_first:
            super().append(events, expected=expected)
        raise DiedError


def after_a_fall(on_loss: OnLoss, *, held: Decimal = HELD, to_usd: str = "80") -> Whole:
    """Return a home that held SPX at 100 USD on Monday; on Tuesday it has fallen, and the breaker trips."""
    settings = Settings(approvers=PEOPLE, risk=RiskSettings(on_loss=on_loss))
    whole = Whole(settings=settings, journal=MortalJournal(), market=MarketOfTests())
    story = Story(order_intent(quantity=held, limit_price_usd=Decimal(100)), at=NOW)
    bought = [*story.until_sealed(), story.sending(), story.moved(OrderStep.ACKNOWLEDGED), story.filled()]
    whole.journal.append(bought)
    whole.work()
    whole.market.bars["SPX"] = [
        daily_bar(0, "100", "101", "99", "100"),
        daily_bar(1, "100", "100", to_usd, to_usd),
        *(daily_bar(day, to_usd, "200", "1", to_usd) for day in range(2, 9)),
    ]
    later(whole, A_DAY_AND_A_BIT)
    whole.work()
    return whole


def later(whole: Whole, passed: timedelta) -> None:
    whole.clock.move_to(whole.clock.now() + passed)
    whole.queue.now_s += passed.total_seconds()


def sales(whole: Whole) -> list[DecisionRecord]:
    return [record for record in whole.fold().decisions.values() if record.caller == RISK]


def quantities(whole: Whole) -> list[tuple[Decimal, DecisionState]]:
    return [(intent_of(record).quantity, record.state) for record in sales(whole)]


def intent_of(record: DecisionRecord) -> OrderIntent:
    assert isinstance(record.intent, OrderIntent)
    return record.intent


def fill_everything(whole: Whole) -> None:
    for name, order in whole.venue.orders.items():
        if order.status is VenueStatus.WORKING:
            whole.venue.trade(name, whole.venue.requests[name].quantity, price_usd="80")
    whole.work()


def sign_everything(whole: Whole) -> None:
    desk = whole.desk()
    for hold in desk.held():
        for name, key in (("alice", ALICE), ("bob", BOB)):
            answer = desk.get(hold.decision_id)
            if answer.verdict == "held":
                desk.approve(signed(desk, answer, name=name, key=key))


def let_an_hour_pass(whole: Whole) -> None:
    """Let everybody do their part: what is proposed is signed, sent and filled."""
    whole.desk().relay()
    whole.work()
    sign_everything(whole)
    whole.desk().relay()
    whole.work()
    fill_everything(whole)
    later(whole, timedelta(hours=1))


def left(whole: Whole) -> Decimal:
    return whole.fold().book.position("main", "SPX").quantity


def test_a_home_that_only_stops_sells_nothing_by_itself() -> None:
    whole = after_a_fall(OnLoss.STOP)
    assert whole.fold().book.trading_states == {"account:main": TradingState.REDUCING}
    whole.desk().relay()
    assert not sales(whole)


def test_without_a_loss_nothing_is_sold() -> None:
    whole = after_a_fall(OnLoss.FLATTEN, to_usd="99")
    whole.desk().relay()
    assert not sales(whole)


def test_what_people_reduced_for_other_reasons_is_not_sold() -> None:
    whole = after_a_fall(OnLoss.FLATTEN, to_usd="99")
    whole.journal.append([reducing(whole.clock.now(), by="alice", why="worth more than I like to say")])
    whole.desk().relay()
    assert not sales(whole)


@pytest.mark.parametrize("since", ["its peak", "its day's start"])
def test_a_breaker_that_somebody_made_up_sells_nothing_and_says_so(
    since: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = after_a_fall(OnLoss.FLATTEN, to_usd="99")
    whole.journal.append([reducing(whole.clock.now(), why=loss_why(cap_bps=Decimal(500), since=since))])
    desk = whole.desk()
    for _ in range(3):
        desk.relay()
    assert not sales(whole)
    (told,) = [record.getMessage() for record in caplog.records if "nothing is sold" in record.getMessage()]
    assert "no loss beyond a limit" in told


def recover(whole: Whole) -> None:
    """Let the market say that nothing was lost."""
    whole.market.bars["SPX"] = [daily_bar(day, "100", "101", "99", "100") for day in range(9)]


def test_the_executor_sends_no_sale_after_a_loss_that_it_does_not_see() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.desk().relay()
    recover(whole)
    whole.work()
    assert not whole.venue.orders
    (rejected,) = [item.event for item in whole.journal.read() if item.event.kind == "envelope_rejected"]
    assert rejected.code == "forbidden"
    assert "a sale after a loss that is not seen" in rejected.message


def test_what_people_signed_is_judged_by_the_limits_alone() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.desk().relay()
    whole.work()
    sign_everything(whole)
    recover(whole)
    whole.desk().relay()
    whole.work()
    rejected = [item.event for item in whole.journal.read() if item.event.kind == "envelope_rejected"]
    assert {event.code for event in rejected} == {"price_worse_than_collar"}


def test_what_needs_no_signature_goes_at_once_and_the_rest_waits_for_people() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.desk().relay()
    assert quantities(whole) == [
        (Decimal(125), DecisionState.QUEUED),
        (Decimal("312.5"), DecisionState.HELD),
        (Decimal("62.5"), DecisionState.HELD),
    ]
    assert {intent_of(record).side for record in sales(whole)} == {Side.SELL}
    assert {intent_of(record).limit_price_usd for record in sales(whole)} == {Decimal("79.20")}
    whole.desk().relay()
    assert len(sales(whole)) == 3


def test_everything_is_sold_once_people_signed() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    let_an_hour_pass(whole)
    assert left(whole) == 0
    for _ in range(3):
        whole.desk().relay()
        whole.work()
        later(whole, timedelta(hours=1))
    assert len(sales(whole)) == 3
    assert {record.state for record in sales(whole)} == {DecisionState.FILLED}


def test_half_is_sold_once_a_trip() -> None:
    whole = after_a_fall(OnLoss.REDUCE, held=Decimal(350))
    for _ in range(4):
        let_an_hour_pass(whole)
    assert left(whole) == 175
    assert [quantity for quantity, _ in quantities(whole)] == [125, 50]


def test_no_sale_is_promised_twice_beside_the_agents_own() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    own = Story(
        order_intent(side=Side.SELL, quantity=Decimal(450), limit_price_usd=Decimal(80)),
        n=2,
        at=whole.clock.now(),
    )
    whole.journal.append(own.until_sealed())
    whole.desk().relay()
    assert sum(quantity for quantity, _ in quantities(whole)) == HELD - 450


def test_a_piece_that_expired_is_offered_again_after_a_while() -> None:
    whole = after_a_fall(OnLoss.FLATTEN, held=Decimal(300), to_usd="80")
    whole.desk().relay()
    whole.work()
    (name,) = whole.venue.orders
    whole.venue.expire(name)
    whole.work()
    whole.desk().relay()
    assert quantities(whole)[0] == (Decimal(125), DecisionState.EXPIRED)
    before = len(sales(whole))
    later(whole, timedelta(minutes=16))
    whole.desk().relay()
    assert len(sales(whole)) == before + 1
    open_or_waiting = [
        quantity for quantity, state in quantities(whole) if state is not DecisionState.EXPIRED
    ]
    assert sum(open_or_waiting) == 300


def test_a_no_by_people_is_not_asked_again() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.desk().relay()
    held = next(record for record in sales(whole) if record.state is DecisionState.HELD)
    whole.desk().decline(held.decision_id, Refusal(approver="alice", why="we keep this"))
    later(whole, timedelta(hours=2))
    whole.desk().relay()
    assert len(sales(whole)) == 3


def test_what_a_quorum_resumed_is_sold_no_further() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.desk().relay()
    whole.work()
    whole.resume("account:main")
    whole.desk().relay()
    whole.work()
    assert {record.is_cancel_requested for record in sales(whole)} == {True}
    assert sales(whole)[0].state is DecisionState.CANCELLED
    assert whole.desk().held() == ()
    later(whole, timedelta(hours=1))
    whole.desk().relay()
    assert len(sales(whole)) == 3
    assert left(whole) == HELD


def test_a_halted_account_sells_nothing_and_the_gate_says_so() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.journal.append([halted(whole.clock.now(), by="alice")])
    whole.desk().relay()
    (refused,) = sales(whole)
    assert (refused.state, refused.reasons[0].code) == (DecisionState.REFUSED, "trading_halted")


def test_an_instrument_without_a_price_keeps_nothing_else_waiting() -> None:
    whole = after_a_fall(OnLoss.FLATTEN)
    whole.market.bars["SPX"] = []
    whole.desk().relay()
    assert not sales(whole)


@contextmanager
def dying(whole: Whole, *, at: int, is_written_first: bool) -> Iterator[None]:
    journal = whole.journal
    assert isinstance(journal, MortalJournal)
    journal.appends, journal.dies_at, journal.is_written_first = 0, at, is_written_first
    try:
        yield
    except DiedError:
        pass
    finally:
        journal.dies_at = None


@pytest.mark.parametrize("is_written_first", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("on_loss", [OnLoss.REDUCE, OnLoss.FLATTEN])
def test_a_process_that_dies_at_any_write_sells_neither_twice_nor_more(
    on_loss: OnLoss,
    at: int,
    is_written_first: bool,  # noqa: FBT001 - drawn
) -> None:
    whole = after_a_fall(on_loss)
    with dying(whole, at=at, is_written_first=is_written_first):
        whole.desk().relay()
    for _ in range(3):
        let_an_hour_pass(whole)
    wanted = HELD / 2 if on_loss is OnLoss.REDUCE else HELD
    assert HELD - left(whole) == wanted
    assert sum(quantity for quantity, _ in quantities(whole)) == wanted
    ids = [intent_of(record).request_id for record in sales(whole)]
    (digest,) = {name.rsplit("-", 1)[0] for name in ids}
    assert sorted(ids) == sorted(f"{digest}-{number + 1}" for number in range(len(ids)))


def test_while_others_write_it_decides_again(whole_after_races: Whole) -> None:
    assert sum(quantity for quantity, _ in quantities(whole_after_races)) == HELD


@pytest.fixture
def whole_after_races() -> Whole:
    whole = after_a_fall(OnLoss.FLATTEN)
    assert isinstance(whole.journal, RacingJournal)
    whole.journal.races = 5
    whole.desk().relay()
    return whole
