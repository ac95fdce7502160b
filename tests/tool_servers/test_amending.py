"""Amendments of orders with a plan: what tightens is recorded, everything else is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.executor.whole import Whole
from tests.tool_servers.bench import NOW
from tool_servers.orders.amending import Amendment, amend
from tool_servers.orders.proposal import Proposal
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import TwapPlan
from when_to_invest.intents import Side
from when_to_invest.quotes import Quote
from when_to_invest.workings import OrderAmended

PLAN = TwapPlan(duration_s=400, slices=4)


@pytest.fixture
def whole() -> Whole:
    whole = Whole()
    some = Decimal(1000)
    whole.venue.quotes["SPX"] = Quote("SPX", NOW, Decimal("99.99"), some, Decimal("100.01"), some)
    return whole


def proposed(whole: Whole, *, execution: TwapPlan | None = PLAN) -> str:
    proposal = Proposal(
        instrument="SPX",
        side=Side.BUY,
        notional_usd=Decimal(1000),
        limit_price_usd=Decimal(100),
        recommendation_id=None,
        request_id="r-1",
        execution=execution,
    )
    return whole.desk().propose(proposal, caller="agent").decision_id


def test_what_tightens_is_recorded_once(whole: Whole) -> None:
    decision_id = proposed(whole)
    wanted = Amendment(decision_id, quantity=Decimal(4), limit_price_usd=Decimal("99.5"))
    amend(whole.desk(), wanted, caller="operator")
    amend(whole.desk(), wanted, caller="operator")
    (event,) = whole.happened(OrderAmended)
    assert isinstance(event, OrderAmended)
    assert (event.quantity, event.limit_price_usd, event.caller) == (Decimal(4), Decimal("99.5"), "operator")


def test_what_is_left_out_stays_as_it_is(whole: Whole) -> None:
    decision_id = proposed(whole)
    amend(whole.desk(), Amendment(decision_id, quantity=Decimal(4)), caller="operator")
    amend(whole.desk(), Amendment(decision_id, limit_price_usd=Decimal(99)), caller="operator")
    last = whole.happened(OrderAmended)[-1]
    assert isinstance(last, OrderAmended)
    assert (last.quantity, last.limit_price_usd) == (Decimal(4), Decimal(99))


@pytest.mark.parametrize(
    "wanted", [{"quantity": Decimal(11)}, {"limit_price_usd": Decimal(101)}], ids=["more", "dearer"]
)
def test_nothing_loosens(whole: Whole, wanted: dict[str, Decimal]) -> None:
    decision_id = proposed(whole)
    with pytest.raises(Fault) as caught:
        amend(whole.desk(), Amendment(decision_id, **wanted), caller="operator")
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
    assert not whole.happened(OrderAmended)


def test_an_order_without_a_plan_is_cancelled_instead(whole: Whole) -> None:
    decision_id = proposed(whole, execution=None)
    with pytest.raises(Fault, match="no plan"):
        amend(whole.desk(), Amendment(decision_id, quantity=Decimal(4)), caller="operator")


def test_an_order_that_is_over_is_not_amended(whole: Whole) -> None:
    decision_id = proposed(whole)
    whole.desk().cancel(decision_id, caller="agent")
    whole.work()
    with pytest.raises(Fault, match="not being worked"):
        amend(whole.desk(), Amendment(decision_id, quantity=Decimal(4)), caller="operator")


def test_the_executor_keeps_to_it(whole: Whole) -> None:
    decision_id = proposed(whole)
    amend(whole.desk(), Amendment(decision_id, quantity=Decimal(4)), caller="operator")
    whole.work()
    sent = [order.sent.quantity for order in whole.fold().decisions[decision_id].orders.values()]
    assert sent == [Decimal(1)]
