"""An answer tightens at once and eases after days in a row: over made-up days, and over real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from home.paths import Home
from market_data.source import latest_as_of, parse_as_of, snapshot
from tests.conftest import Proof
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.confirmation import (
    CONFIRM_DAYS,
    TIGHTNESS,
    Standing,
    allowance,
    confirm,
    reduced_size,
)
from when_to_invest.decision.recent import Day, Question, past_days
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, RuleStep
from when_to_invest.decision.rules import Decision
from when_to_invest.decision.sizing import FULL_ENTRY, STAGED_FLOOR, Sizing
from when_to_invest.features.daily import daily_bars
from when_to_invest.market import Snapshot
from when_to_invest.models.past import recall
from when_to_invest.models.prior import shipped_prior

HOME = Home(Path("nowhere"))
MONDAY = datetime(2018, 6, 4, 21, tzinfo=UTC)


def day(
    action: Action = Action.INVEST_NOW, *, tranche: float = 1.0, scale: float = 1.0, cap: float = 1.0
) -> Day:
    """Return a day on which the rules answered `action`, sized as `decision.rules` sizes it."""
    sizing = Sizing(tranche, scale, cap, round(tranche * scale * cap, 6))
    sizes = {
        Action.INVEST_NOW: sizing.target,
        Action.STAGE: max(sizing.target, min(STAGED_FLOOR, scale)),
        Action.WAIT: 0.0,
        Action.REDUCE: round(tranche * scale, 6),
    }
    step = RuleStep(rule="size", outcome="full", text="made up", evidence=())
    return Day(MONDAY, Decision(action, sizes[action], (step,)), sizing, is_paused=False)


def paused() -> Day:
    """Return a day in a halt."""
    made = day(Action.WAIT)
    return Day(MONDAY, made.decision, made.sizing, is_paused=True)


DAYS = st.one_of(
    st.builds(
        day,
        st.sampled_from([Action.STAGE, Action.WAIT, Action.REDUCE]),
        tranche=st.sampled_from([0.25, 0.33, 0.5, 0.75, 1.0]),
        scale=st.floats(0.05, 1.0),
        cap=st.sampled_from([0.25, 0.5, 1.0]),
    ),
    st.builds(day, scale=st.floats(FULL_ENTRY, 1.0)),
    st.builds(paused),
)


def test_a_week_of_days_that_agree_stands_as_it_is() -> None:
    found = confirm([day()] * 5, day())
    assert (found.action, found.raw, found.days_left) == (Action.INVEST_NOW, Action.INVEST_NOW, 0)
    assert found.allowed == 1.0


@pytest.mark.parametrize("tight", [Action.STAGE, Action.WAIT, Action.REDUCE])
def test_a_tighter_answer_acts_on_its_day(tight: Action) -> None:
    assert confirm([day()] * 5, day(tight)).action is tight


@pytest.mark.parametrize("calm", range(1, CONFIRM_DAYS))
def test_one_bad_day_is_remembered_until_enough_calm_ones_followed(calm: int) -> None:
    found = confirm([day()] * 9 + [day(Action.WAIT)] + [day()] * (calm - 1), day())
    assert found.action is Action.WAIT
    assert found.raw is Action.INVEST_NOW
    assert found.days_left == CONFIRM_DAYS - calm
    eased = confirm([day()] * 9 + [day(Action.WAIT)] + [day()] * (CONFIRM_DAYS - 1), day())
    assert eased.action is Action.INVEST_NOW


def test_a_pause_after_a_call_to_reduce_sells_nothing_that_day() -> None:
    found = confirm([day(Action.REDUCE)] * 5, paused())
    assert (found.action, found.is_paused) == (Action.WAIT, True)
    assert confirm([*([day(Action.REDUCE)] * 5), paused()], day(Action.REDUCE)).action is Action.REDUCE


def test_the_size_is_the_smallest_that_any_of_the_days_allowed() -> None:
    found = confirm([day(scale=0.8), day(scale=0.9)], day())
    assert found.allowed == 0.8
    assert confirm([day(scale=0.8)] + [day()] * 5, day()).allowed == 1.0


def test_a_short_past_holds_nothing_back() -> None:
    assert confirm([], day(Action.STAGE)).action is Action.STAGE


@pytest.mark.proof
@given(before=st.lists(DAYS, max_size=12), today=DAYS)
def test_tightening_is_never_delayed_and_nothing_is_levered(before: list[Day], today: Day) -> None:
    found = confirm(before, today)
    assert TIGHTNESS[found.action] >= TIGHTNESS[today.decision.action]
    assert 0.0 <= found.allowed <= allowance(today) <= 1.0
    assert found.keep <= max(reduced_size(today), allowance(today)) <= 1.0
    assert found.allowed <= found.keep or found.action is Action.REDUCE
    if found.action is Action.STAGE:
        scales = [each.sizing.volatility_scale for each in (*before[-CONFIRM_DAYS + 1 :], today)]
        assert found.allowed >= min(STAGED_FLOOR, *scales)
    if found.action in {Action.WAIT, Action.REDUCE}:
        assert found.allowed == 0.0
    assert (found.days_left > 0) == (found.action is not found.raw) == (found.held_by is not None)


class Weeks(RuleBasedStateMachine):
    """Days come one by one; a second, naive reckoning counts how long each answer has been allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.days: list[Day] = []
        self.standing: list[Standing] = []

    @rule(today=DAYS)
    def another_day(self, today: Day) -> None:
        self.standing.append(confirm(self.days, today))
        self.days.append(today)

    @invariant()
    def nothing_eases_before_it_was_allowed_on_enough_days(self) -> None:
        if len(self.standing) < 2:
            return
        was, now = (TIGHTNESS[each.action] for each in self.standing[-2:])
        # From reduce to wait on the day of a pause is no easing: nothing is sold into it.
        if now < was and not self.days[-1].is_paused:
            recent = self.days[-CONFIRM_DAYS:]
            assert all(TIGHTNESS[each.decision.action] <= now for each in recent)

    @invariant()
    def only_the_newest_days_count(self) -> None:
        if self.days:
            assert confirm(self.days[-CONFIRM_DAYS:-1], self.days[-1]) == self.standing[-1]


TestWeeks = pytest.mark.proof(Weeks.TestCase)


@pytest.mark.proof
def test_the_days_before_are_answered_as_they_were_answered_on_them(proof: Proof) -> None:
    """The raw answers of past days, against `recommend` on the bars of each of those days."""
    for seed in proof.seeds(ci=2, full=40):
        seen = daily_snapshot(760, seed=seed)
        past = recall(daily_bars(seen), shipped_prior())
        days = past_days(seen, past, Question(700, 760, 21, has_drop_skill=False))
        for row in range(700, 760, 13):
            lived = recommend(_until(seen, row + 1))
            assert lived.raw_action is days[row - 700].decision.action
            assert lived.data_as_of == days[row - 700].closed_at
            lasting = confirm(days[max(0, row - 700 - 5) : row - 700], days[row - 700])
            if row - 700 >= CONFIRM_DAYS and lived.held_fraction == 0.0:
                assert lived.size_fraction == (
                    lasting.keep if lasting.action is Action.REDUCE else lasting.allowed
                )


def _until(seen: Snapshot, count: int) -> Snapshot:
    bars = seen.bars.between(0, count)
    short = Snapshot(seen.instrument, seen.as_of, bars)
    return Snapshot(seen.instrument, short.data_as_of, bars)


@pytest.mark.parametrize("horizon", [5, 21, 63])
def test_the_days_before_do_not_change_with_what_follows(horizon: int) -> None:
    whole = snapshot(HOME, "SPX", as_of=latest_as_of(HOME, "SPX"))
    late = recall(daily_bars(whole), shipped_prior())
    early = recall(late.bars.until(3000), shipped_prior())
    asked = Question(2950, 3000, horizon, has_drop_skill=True)
    assert past_days(whole, late, asked) == past_days(whole, early, asked)


def test_what_is_held_back_is_said_with_the_day_that_holds_it_back() -> None:
    made = recommend(snapshot(HOME, "SPX", as_of=parse_as_of("2016-03-15")))
    assert (made.action, made.raw_action) == (Action.REDUCE, Action.STAGE)
    step = next(each for each in made.explanation if each.rule == "confirmation")
    assert "2016-03-08" in step.text
    assert made.held_back_by == datetime(2016, 3, 8, 21, tzinfo=UTC)
    assert made.eases_at == datetime(2016, 3, 16, 21, tzinfo=UTC)
    eased = recommend(snapshot(HOME, "SPX", as_of=parse_as_of("2016-03-16")))
    assert (eased.action, eased.raw_action, eased.eases_at) == (Action.STAGE, Action.STAGE, None)


def test_the_odds_are_read_only_where_they_may_decide() -> None:
    seen = daily_snapshot(760, seed=3)
    past = recall(daily_bars(seen), shipped_prior())
    with_odds = past_days(seen, past, Question(700, 760, 21, has_drop_skill=True))
    without = past_days(seen, past, Question(700, 760, 21, has_drop_skill=False))
    assert [each.sizing for each in with_odds] == [each.sizing for each in without]
    assert [allowance(each) for each in with_odds] == [allowance(each) for each in without]
    assert with_odds[-1].closed_at - with_odds[0].closed_at >= timedelta(days=59)


def test_no_day_is_asked_about_when_there_is_none() -> None:
    seen = daily_snapshot(525)
    past = recall(daily_bars(seen), shipped_prior())
    assert past_days(seen, past, Question(524, 524, 21, has_drop_skill=True)) == ()
    assert recommend(seen).eases_at is None
