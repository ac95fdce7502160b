"""When each stage was reached is what the journal says, and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.quality.figures import Missing
from executor.quality.measures import hops, measure
from executor.quality.passages import Basis, PriceSeen, Stage, passage_of
from executor.quality.tape import Tape
from tests.executor.quality.walks import LATER, NOW, D, Walk, after, facts, filled_at, planned_walk, tape
from tests.when_to_invest.samples import Story, chain_intent
from when_to_invest.execution import Ending
from when_to_invest.history import decisions
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.values import Mode


def test_every_hop_takes_what_lies_between_its_events() -> None:
    walk = Walk().received().sent(10).moved(14, OrderStep.ACKNOWLEDGED)
    walk.filled(20, "4", "100", is_last=False).filled(29, "6", "100")
    took = walk.measured().hops_s
    assert [took[stage] for stage in list(Stage)[1:]] == [1, 2, 3, 4, 4, 6, 9]


def test_a_replayed_clock_that_stood_still_measured_nothing() -> None:
    instants = {Stage.INTENDED: NOW, Stage.ACKNOWLEDGED: NOW, Stage.FIRST_FILL: after(3)}
    replayed, live = hops(instants, Mode.REPLAY), hops(instants, Mode.LIVE)
    assert isinstance(replayed[Stage.ACKNOWLEDGED], Missing)
    assert live[Stage.ACKNOWLEDGED] == 0
    assert replayed[Stage.FIRST_FILL] == live[Stage.FIRST_FILL] == 3


def test_a_stage_that_was_not_reached_has_no_time() -> None:
    took = Walk().received().measured().hops_s
    assert took[Stage.RECEIVED] == 3
    assert all(isinstance(took[stage], Missing) for stage in (Stage.INTENDED, Stage.FIRST_FILL))


def test_a_note_that_came_late_is_no_negative_time() -> None:
    walk = Walk()
    walk.tell(walk.story().proposed(), walk.story(1).sealed(), walk.story(2).received())
    walk.tell(walk.story(5).queued())
    hop = walk.measured().hops_s[Stage.RECEIVED]
    assert isinstance(hop, Missing)


def test_the_last_fill_counts_once_nothing_more_can_trade() -> None:
    walk = Walk().received().sent(10).moved(14, OrderStep.ACKNOWLEDGED).filled(20, "4", "100", is_last=False)
    assert Stage.LAST_FILL not in walk.passage.instants
    walk.moved(30, OrderStep.CANCELLED)
    assert walk.passage.instants[Stage.LAST_FILL] == after(20)
    assert walk.passage.ended_at == after(30)


def test_prices_are_those_that_each_judge_knew() -> None:
    walk = Walk(decided="100", arrival="102").received().sent(10)
    assert walk.passage.decided == PriceSeen(D(100), NOW, Basis.LAST_CLOSE)
    assert walk.passage.arrival == PriceSeen(D(102), NOW, Basis.LAST_CLOSE)


@pytest.mark.parametrize(
    "told", ["{}", "[]", "nonsense", facts("0"), facts("NaN"), facts("-1"), '{"reference_price_usd": null}']
)
def test_a_price_that_makes_no_sense_is_no_price(told: str) -> None:
    walk = Walk().received()
    walk.told = [
        e.model_copy(update={"facts_json": told}) if hasattr(e, "facts_json") else e for e in walk.told
    ]
    assert isinstance(walk.passage.arrival, Missing)


def test_doubt_lasts_from_losing_sight_to_the_first_answer() -> None:
    walk = Walk().received().sent(10).moved(12, OrderStep.LOST_SIGHT)
    (order,) = walk.measured(now=after(40)).orders
    assert (order.is_unknown, order.unknown_age_s) == (True, 28)
    walk.moved(52, OrderStep.QUARANTINED)
    assert walk.measured(now=after(60)).orders[0].unknown_age_s == 48
    walk.moved(72, OrderStep.ACKNOWLEDGED)
    (order,) = walk.measured().orders
    assert (order.is_unknown, order.unknown_age_s) == (False, 60)


def test_an_order_that_was_never_answered_is_in_doubt_since_it_left() -> None:
    (order,) = Walk().received().sent(10).measured(now=after(25)).orders
    assert (order.is_unknown, order.unknown_age_s, order.state) == (True, 15, OrderState.SEND_INTENDED)


def test_nothing_is_told_of_what_was_never_sealed_nor_of_transfers() -> None:
    story = Story(chain_intent())
    assert passage_of(decisions([story.proposed()])[story.decision_id]) is None
    walk = Walk()
    assert passage_of(walk.tell(walk.story().proposed()).record) is None


def test_what_did_not_trade_is_missed_at_the_price_when_the_plan_ended() -> None:
    walk = planned_walk().sent(10, quantity=D(4)).moved(11, OrderStep.ACKNOWLEDGED)
    walk.filled(12, "4", "100.5", fee_usd=D("0.2"))
    walk.tell(walk.story(120).finished(Ending.WINDOW_ENDED, "6"))
    found = walk.measured(tape("101", "103", "7"))
    assert found.shortfall.opportunity_usd == 6 * (103 - 100)
    assert found.shortfall.total_usd == 18 + 2 + Decimal("0.2")
    assert found.fill_ratio == Decimal("0.4")
    early = measure(walk.passage, tape("101", "103"), now=after(60)).shortfall.opportunity_usd
    assert isinstance(early, Missing)


def test_a_settled_part_has_a_price_and_no_fee() -> None:
    walk = Walk().received().sent(10).moved(12, OrderStep.LOST_SIGHT).moved(13, OrderStep.QUARANTINED)
    walk.tell(walk.story(99).settled(D(10), price_usd=D(101)))
    found = walk.measured()
    assert found.arrival_slippage_bps == 100
    assert isinstance(found.orders[0].fee_bps, Missing)
    assert found.orders[0].unknown_age_s == 87


def test_the_same_journal_gives_the_same_measures() -> None:
    walk = filled_at("101", fee_usd="1")
    assert walk.measured() == measure(walk.passage, Tape(), now=LATER)
    assert walk.measured().orders[0].fee_bps == D(1) / D(1010) * 10_000
