"""Facts lean towards refusal, leave the judged decision out, and hold no number that is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.exposures import Exposure, instruments_to_mark
from policies.facts import Facts
from tests.strategies.situations import (
    DECISION,
    NOW,
    D,
    Situation,
    book,
    other_decision,
    price,
    proposal,
    reservation,
    sealed,
    spx,
    traded,
    worth,
)
from tests.strategies.spoilers import situations, unusable_prices
from when_to_invest.breakers import TradingState
from when_to_invest.holdings import Position
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState

ONE, TWO = other_decision(1), other_decision(2)
slow_draws = settings(suppress_health_check=[HealthCheck.too_slow])


def facts(**changes: Any) -> Facts:
    return Situation(**changes).facts


def test_an_order_is_sized_at_the_worse_of_limit_and_reference() -> None:
    dear = Situation().asking(limit_price_usd=D(101)).facts
    cheap = Situation().asking(limit_price_usd=D(99)).facts
    assert (dear.worst_price_usd, dear.notional_usd, dear.cost_usd) == (D(101), D(1010), D(1010))
    assert (cheap.worst_price_usd, cheap.notional_usd, cheap.cost_usd) == (D(100), D(1000), D(990))


@given(unusable_prices)
def test_a_price_that_is_none_leaves_everything_it_prices_unknown(reference: Any) -> None:
    known = facts(reference=reference, book=book(held={"SPX": 1}))
    assert known.reference_price_usd is None
    assert known.notional_usd is None
    assert known.exposure_of("SPX") is None
    assert known.gross_exposure_usd is None


def test_another_instruments_data_describe_nothing() -> None:
    assert facts(instrument=spx(id="IXIC")).lot_size is None


def test_the_own_reservation_turnover_and_proposal_are_left_out() -> None:
    own = book(
        reserved={DECISION: reservation(10)},
        sealed_before=[traded(1000, decision_id=DECISION)],
        proposals=[proposal(0, decision_id=DECISION, proposer="agent", quantity=D(10))],
    )
    fresh = Situation().facts
    assert facts(book=own) == fresh


def test_other_buys_add_to_exposure_and_take_cash() -> None:
    known = facts(book=book(held={"SPX": 5}, reserved={ONE: reservation(3, 110), TWO: reservation(2, 90)}))
    assert known.exposures == (
        Exposure(instrument="SPX", quantity=D(10), notional_usd=D(1030), net_usd=D(1030)),
    )
    assert known.reserved_buys_usd == D(510)
    assert known.open_orders_usd == D(530)


def test_other_sells_promise_holdings_and_take_nothing_off_exposure() -> None:
    selling = {ONE: reservation(4, 105, side=Side.SELL)}
    known = facts(book=book(held={"SPX": 5}, reserved=selling))
    assert known.exposure_of("SPX") == D(500)
    assert known.reserved_sells_quantity == D(4)
    assert known.open_orders_usd == D(420)
    assert known.reserved_buys_usd == D(0)


def test_sells_of_other_accounts_and_instruments_promise_nothing_of_ours() -> None:
    elsewhere = {
        ONE: reservation(4, side=Side.SELL, account="second"),
        TWO: reservation(3, side=Side.SELL, instrument="GLD"),
        other_decision(3): reservation(2, account="second"),
    }
    known = facts(book=book(held={"SPX": 5}, reserved=elsewhere), marks={"GLD": price()})
    assert known.reserved_sells_quantity == D(0)
    assert known.reserved_buys_usd == D(0)
    assert known.open_orders_usd == D(900)


def test_orders_of_unknown_outcome_stay_reserved_and_are_counted() -> None:
    lost = book(
        reserved={ONE: reservation(4), TWO: reservation(1, instrument="GLD")},
        orders_of={ONE: ["o-1", "o-2"], TWO: ["o-3"], DECISION: ["o-4"]},
        order_states={
            "o-1": OrderState.ABSENT,
            "o-2": OrderState.UNKNOWN,
            "o-3": OrderState.QUARANTINED,
            "o-4": OrderState.UNKNOWN,
        },
    )
    known = facts(book=lost, marks={"GLD": price(50)})
    assert known.unresolved_orders == 1
    assert known.gross_exposure_usd == D(500)


def test_holdings_of_all_accounts_count_but_cash_and_cover_are_the_accounts_own() -> None:
    shared = book(held={"SPX": 5}, reserved={ONE: reservation(1, account="second")})
    shared.positions["second", "SPX"] = Position(D(7), D(0))
    known = facts(book=shared)
    assert known.exposure_of("SPX") == D(1300)
    assert known.held_quantity == D(5)
    assert known.reserved_buys_usd == D(0)


def test_a_holding_without_a_price_makes_the_total_unknown() -> None:
    known = facts(book=book(held={"SPX": 5, "GLD": 1}))
    assert known.gross_exposure_usd is None
    assert known.exposure_of("SPX") == D(500)
    assert known.exposure_of("GLD") is None


def test_what_is_no_longer_held_needs_no_price() -> None:
    known = facts(book=book(held={"SPX": 5, "GLD": 0}))
    assert [each.instrument for each in known.exposures] == ["SPX"]
    assert known.gross_exposure_usd == D(500)


def test_an_open_order_without_a_price_makes_the_open_value_unknown() -> None:
    assert facts(book=book(reserved={ONE: reservation(1, instrument="GLD")})).open_orders_usd is None


def test_the_mark_of_the_judged_instrument_is_the_reference_and_no_other() -> None:
    known = facts(book=book(held={"SPX": 5}), marks={"SPX": price(1)})
    assert known.exposure_of("SPX") == D(500)


def test_without_a_reference_a_mark_of_the_judged_instrument_prices_nothing() -> None:
    known = facts(reference=None, book=book(held={"SPX": 5}), marks={"SPX": price(1)})
    assert known.exposure_of("SPX") is None
    assert known.gross_exposure_usd is None
    assert known.equity_usd is None


@pytest.mark.parametrize(("limit", "exposed"), [("110", "550"), ("100", "500"), ("90", "500")])
def test_what_is_held_of_the_judged_instrument_counts_at_the_worse_of_limit_and_reference(
    limit: str, exposed: str
) -> None:
    known = Situation(book=book(held={"SPX": 5})).asking(limit_price_usd=D(limit)).facts
    assert known.exposure_of("SPX") == known.net_of("SPX") == D(exposed)


def test_the_age_of_a_mark_of_the_judged_instrument_is_not_asked() -> None:
    marks = {"SPX": price(age_s=90_000), "GLD": price(age_s=50)}
    known = facts(book=book(held={"SPX": 1, "GLD": 1}), marks=marks)
    assert known.oldest_mark_at == NOW - timedelta(seconds=50)


def test_the_nearest_of_our_own_orders_on_each_side_is_told() -> None:
    reserved = {
        ONE: reservation(1, 90),
        TWO: reservation(1, 95),
        other_decision(3): reservation(1, 110, side=Side.SELL),
        other_decision(4): reservation(1, 105, side=Side.SELL),
        other_decision(5): reservation(1, 99, venue="elsewhere"),
        other_decision(6): reservation(1, 101, side=Side.SELL, instrument="GLD"),
    }
    known = facts(book=book(held={"SPX": 5}, reserved=reserved), marks={"GLD": price()})
    assert (known.highest_own_buy_usd, known.lowest_own_sell_usd) == (D(95), D(105))


def test_the_oldest_mark_is_the_oldest_of_what_is_held() -> None:
    marks = {"GLD": price(age_s=50), "IXIC": price(age_s=70), "TLT": price(age_s=9_000)}
    known = facts(book=book(held={"SPX": 1, "GLD": 1, "IXIC": 1}), marks=marks)
    assert known.oldest_mark_at == NOW - timedelta(seconds=70)


def test_what_needs_a_mark_is_what_is_held_or_reserved() -> None:
    made = book(held={"SPX": 5, "TLT": 0}, reserved={ONE: reservation(1, instrument="GLD")})
    assert instruments_to_mark(made) == {"SPX", "GLD"}


def test_an_account_without_money_has_unknown_cash() -> None:
    assert facts(book=book(cash_usd=None)).cash_usd is None


def test_messages_are_counted_in_both_windows_and_scopes() -> None:
    told = [
        proposal(3601, proposer="agent"),
        proposal(3600, proposer="agent"),
        proposal(3599, proposer="agent"),
        proposal(61, instrument="GLD", proposer="agent"),
        proposal(60, proposer="agent"),
        proposal(59, proposer="agent"),
        proposal(58),
        proposal(1, venue="elsewhere", proposer="agent"),
        proposal(0, proposer="agent"),
    ]
    known = facts(book=book(proposals=told))
    assert (known.messages_last_minute, known.messages_last_hour) == (2, 4)
    assert (known.proposer_messages_last_minute, known.proposer_messages_last_hour) == (3, 6)


def test_sealed_orders_count_from_their_seal_whoever_proposed_them() -> None:
    told = [sealed(n, 0, hours_ago=age_s / 3600) for n, age_s in enumerate([3600, 3599, 60, 59, 0])]
    known = facts(book=book(sealed_before=told))
    assert (known.messages_last_minute, known.messages_last_hour) == (2, 4)
    assert (known.proposer_messages_last_minute, known.proposer_messages_last_hour) == (0, 0)


def test_a_proposal_sealed_long_after_it_was_asked_for_is_a_message_when_it_is_sealed() -> None:
    asked = proposal(7200, proposer="agent")
    order = sealed(1, 0, hours_ago=0.01)._replace(decision_id=asked.decision_id)
    known = facts(book=book(proposals=[asked], sealed_before=[order]))
    assert (known.messages_last_minute, known.messages_last_hour) == (1, 1)


def test_a_proposal_that_is_no_longer_counted_is_a_message_once_it_is_sealed() -> None:
    asked = [proposal(age_s, proposer="agent") for age_s in (60, 59)]
    order = sealed(1, 0, hours_ago=0.01)._replace(decision_id=asked[0].decision_id)
    assert facts(book=book(proposals=asked, sealed_before=[order])).messages_last_minute == 2


def test_an_order_asked_for_after_this_one_and_sealed_before_it_is_a_message() -> None:
    own = proposal(50, decision_id=DECISION, proposer="agent", quantity=D(10))
    after = proposal(40, proposer="agent")
    order = sealed(1, 0, hours_ago=0.01)._replace(decision_id=after.decision_id)
    known = facts(book=book(proposals=[own, after], sealed_before=[order]))
    assert (known.messages_last_minute, known.messages_last_hour) == (1, 1)


def test_the_second_judgement_counts_what_was_sealed_before_the_own_seal() -> None:
    told = [sealed(n, 0, hours_ago=age_s / 3600) for n, age_s in enumerate([3000, 140, 100, 50])]
    told[2] = told[2]._replace(decision_id=DECISION)
    made = book(sealed_before=told)
    first, second = facts(book=made), facts(book=made, is_sealed=True)
    assert (first.messages_last_minute, first.messages_last_hour) == (1, 3)
    assert (second.messages_last_minute, second.messages_last_hour) == (1, 2)


def test_a_second_judgement_counts_only_what_came_before_the_proposal() -> None:
    own = proposal(100, decision_id=DECISION, proposer="agent", quantity=D(10))
    before, after = (proposal(age, proposer="agent", quantity=D(n)) for age, n in ((130, 7), (90, 10)))
    known = facts(book=book(proposals=[before, own, after]))
    assert known.proposed_at == NOW - timedelta(seconds=100)
    assert known.messages_last_minute == 1
    assert known.duplicate_at is None


def test_a_second_judgement_leaves_out_no_more_than_came_of_its_own_kind_since() -> None:
    own = proposal(100, decision_id=DECISION, proposer="agent", quantity=D(10))
    before, elsewhere = proposal(130, proposer="agent"), proposal(90, instrument="GLD")
    known = facts(book=book(proposals=[before, own, elsewhere]))
    assert (known.messages_last_minute, known.messages_last_hour) == (1, 1)
    assert (known.proposer_messages_last_minute, known.proposer_messages_last_hour) == (1, 1)


def test_a_clock_that_was_set_back_leaves_out_nothing_that_was_never_counted() -> None:
    own = proposal(100, decision_id=DECISION, proposer="agent", quantity=D(10))
    set_back = proposal(160, proposer="agent")
    known = facts(book=book(proposals=[proposal(130, proposer="agent"), own, set_back]))
    assert known.messages_last_minute == 1
    assert known.proposer_messages_last_minute == 1


def test_the_newest_equal_proposal_that_was_not_refused_is_the_duplicate() -> None:
    equal = {"proposer": "agent", "quantity": D("10.0")}
    told = [proposal(500, **equal), proposal(400, **equal), proposal(300, **equal), proposal(200, **equal)]
    refused = {told[3].decision_id, told[2].decision_id}
    known = facts(book=book(proposals=told, refused=refused))
    assert known.duplicate_at == NOW - timedelta(seconds=400)


@pytest.mark.parametrize(
    "change", [{"proposer": "another"}, {"instrument": "GLD"}, {"side": Side.SELL}, {"quantity": D("10.01")}]
)
def test_another_shape_or_proposer_is_no_duplicate(change: dict[str, Any]) -> None:
    equal = {"proposer": "agent", "quantity": D(10)}
    assert facts(book=book(proposals=[proposal(5, **equal | change)])).duplicate_at is None


def test_turnover_ends_after_24_hours() -> None:
    ages = {7: 25, 70: 24, 700: 23.9, 7000: 1}
    told = [traded(D(usd), usd, hours_ago=age) for usd, age in ages.items()]
    assert facts(book=book(sealed_before=told)).turnover_24h_usd == D(7700)


def test_turnover_is_what_has_traded_and_what_still_may() -> None:
    told = [sealed(1, 30, filled_usd=D(500)), sealed(2, 0), sealed(3, 0, filled_usd=D(70), is_rejected=True)]
    assert facts(book=book(sealed_before=told)).turnover_24h_usd == D(3570)


@pytest.mark.parametrize(
    "later", [{"instrument": "GLD"}, {"side": Side.SELL}, {"signatures": 1}, {"signatures": 2}, {}]
)
def test_a_sealed_order_is_judged_again_with_exactly_what_was_sealed_before_it(later: dict[str, Any]) -> None:
    before = [sealed(1, 10), sealed(2, 20, signatures=1), sealed(3, 40, signatures=2)]
    others = [sealed(4, 80, instrument="GLD"), sealed(5, 160, instrument="GLD", signatures=1)]
    own, after = sealed(9, 3, decision_id=DECISION), sealed(6, 5, **later)
    first = facts(book=book(sealed_before=[*before, *others]))
    again = facts(book=book(sealed_before=[*before, *others, own, after]), is_sealed=True)
    amounts = [
        (known.own_unsigned_24h_usd, known.own_undersigned_24h_usd, known.repeated_last_hour)
        for known in (first, again)
    ]
    assert amounts == [(D(1_000), D(3_000), first.repeated_last_hour)] * 2
    totals = [(known.all_unsigned_24h_usd, known.all_undersigned_24h_usd) for known in (first, again)]
    assert totals == [(D(9_000), D(27_000))] * 2


def test_neither_proposer_nor_caller_counts_as_an_approver() -> None:
    signed = frozenset({"agent", "relay", "alice", "bob"})
    assert facts(approvers=signed).approvers == ("alice", "bob", "relay")
    told = [proposal(0, decision_id=DECISION, proposer="relay")]
    assert facts(approvers=signed, book=book(proposals=told)).approvers == ("alice", "bob")


def test_nobody_counts_as_an_approver_whose_name_is_spelled_like_proposer_or_caller() -> None:
    signed = frozenset({"a-gent", "agent_", "re-lay", "agents", "alice"})
    told = [proposal(0, decision_id=DECISION, proposer="relay")]
    assert facts(approvers=signed, book=book(proposals=told)).approvers == ("agents", "alice")


def test_the_strictest_trading_state_counts() -> None:
    states = {"system": TradingState.REDUCING, "instrument:SPX": TradingState.HALTED}
    assert facts(book=book(trading_states=states)).trading_state is TradingState.HALTED


def test_an_accounts_worth_is_its_own_cash_and_what_it_still_holds() -> None:
    marks = {"GLD": price(50, age_s=7_000), "TLT": price(20, age_s=9_000)}
    shared = book(cash_usd="1000", held={"SPX": 5, "GLD": 2, "TLT": 0, "IEF": 0}, was_worth=worth(900))
    shared.positions["second", "TLT"] = Position(D(100), D(0))
    known = facts(book=shared, marks=marks)
    assert known.equity_usd == D(1_600)
    assert known.equity_price_at == NOW - timedelta(seconds=7_000)
    assert known.equity_marked_at == NOW - timedelta(seconds=60)
    assert known.day_start_equity_usd == known.peak_equity_usd == D(900)


def test_an_account_that_holds_nothing_has_no_prices_to_wait_for() -> None:
    known = facts(book=book(cash_usd="1000", held={"SPX": 0}, was_worth=worth(900)))
    assert (known.equity_usd, known.equity_price_at, known.equity_marked_at) == (D(1_000), None, None)


def test_a_holding_without_a_price_leaves_the_worth_unknown() -> None:
    known = facts(book=book(cash_usd="1000", held={"SPX": 1, "GLD": 1}))
    assert known.equity_usd is None
    assert known.equity_price_at == known.reference_known_at


@slow_draws
@given(situations())
def test_facts_travel_as_json_and_judge_the_same_there(situation: Situation) -> None:
    known = situation.facts
    assert Facts.model_validate_json(known.canonical()) == known
    assert Facts.model_validate_json(known.canonical()).digest() == known.digest()


@slow_draws
@given(situations(), st.integers(1, 1000).map(Decimal))
def test_one_more_open_buy_never_looks_safer(situation: Situation, quantity: Decimal) -> None:
    more = {**situation.book.reservations, other_decision(77): reservation(quantity)}
    before = situation.facts
    after = situation.but(book=replace(situation.book, reservations=more)).facts
    assert after.reserved_buys_usd >= before.reserved_buys_usd
    if after.gross_exposure_usd is not None and before.gross_exposure_usd is not None:
        assert after.gross_exposure_usd >= before.gross_exposure_usd


@given(
    st.decimals("0.000000000000000001", "1000000000000000", places=18),
    st.decimals("0.000000000000000001", "1000000000000000", places=18),
)
def test_products_of_the_widest_amounts_are_exact(quantity: Decimal, limit_price_usd: Decimal) -> None:
    known = Situation().asking(quantity=quantity, limit_price_usd=limit_price_usd).facts
    assert known.cost_usd is not None
    left, right = quantity.as_integer_ratio(), limit_price_usd.as_integer_ratio()
    numerator, denominator = known.cost_usd.as_integer_ratio()
    assert numerator * left[1] * right[1] == left[0] * right[0] * denominator


def test_a_book_that_holds_no_number_gives_no_facts() -> None:
    with pytest.raises(ValueError, match="finite"):
        facts(book=book(cash_usd="NaN"))
