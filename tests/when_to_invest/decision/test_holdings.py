"""What is advised from what is held already."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.paths import Home
from market_data.source import parse_as_of, snapshot
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.decision.confirmation import Standing
from when_to_invest.decision.holdings import NO_TRADE_SHARE, Stance, settle
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation
from when_to_invest.errors import ErrorCode, Fault

HOME = Home(Path("nowhere"))
RULES_SAY = (Action.INVEST_NOW, Action.STAGE, Action.WAIT, Action.REDUCE)


def standing(
    action: Action = Action.INVEST_NOW,
    *,
    allowed: float = 0.8,
    keep: float = 0.8,
    scale: float = 1.0,
    is_paused: bool = False,
) -> Standing:
    """Return an answer that stands, with nothing held back."""
    allowed = allowed if action in {Action.INVEST_NOW, Action.STAGE} else 0.0
    return Standing(action, action, allowed, keep, scale, is_paused, 0, None)


STANDINGS = st.builds(
    lambda action, keep, share, scale, is_paused: standing(
        Action.WAIT if is_paused and action is Action.REDUCE else action,
        allowed=round(keep * share, 6),
        keep=keep,
        scale=scale,
        is_paused=is_paused,
    ),
    st.sampled_from(RULES_SAY),
    st.floats(0.01, 1.0).map(lambda value: round(value, 6)),
    st.floats(0.3, 1.0),
    st.floats(0.05, 1.0),
    st.booleans(),
)
HELD = st.floats(0.0, 1.0).map(lambda value: round(value, 6))


def _said(found: Stance) -> tuple[Action, float, float]:
    return found.action, found.size_fraction, found.target_fraction


@pytest.mark.parametrize(
    ("stands", "held", "expected"),
    [
        (standing(), 0.0, (Action.INVEST_NOW, 0.8, 0.8)),
        (standing(), 0.3, (Action.INVEST_NOW, 0.5, 0.8)),
        (standing(), 0.6, (Action.HOLD, 0.0, 0.6)),
        (standing(), 0.95, (Action.HOLD, 0.0, 0.95)),
        (standing(keep=0.75, allowed=0.75), 1.0, (Action.REDUCE, 0.75, 0.75)),
        (standing(Action.STAGE, allowed=0.3, keep=0.6), 0.0, (Action.STAGE, 0.3, 0.3)),
        (standing(Action.STAGE, allowed=0.3, keep=0.6), 0.05, (Action.STAGE, 0.25, 0.3)),
        (standing(Action.STAGE, allowed=0.3, keep=0.6), 0.5, (Action.HOLD, 0.0, 0.5)),
        (standing(Action.WAIT, keep=0.5), 0.0, (Action.WAIT, 0.0, 0.0)),
        (standing(Action.WAIT, keep=0.5), 0.4, (Action.HOLD, 0.0, 0.4)),
        (standing(Action.WAIT, keep=0.5), 0.9, (Action.REDUCE, 0.5, 0.5)),
        (standing(Action.WAIT, keep=0.5, is_paused=True), 0.9, (Action.HOLD, 0.0, 0.9)),
        (standing(Action.REDUCE, keep=0.2), 0.0, (Action.REDUCE, 0.2, 0.0)),
        (standing(Action.REDUCE, keep=0.2), 0.3, (Action.HOLD, 0.0, 0.3)),
        (standing(Action.REDUCE, keep=0.2), 0.5, (Action.REDUCE, 0.2, 0.2)),
        (standing(Action.STAGE, allowed=0.1, keep=0.1, scale=0.1), 0.0, (Action.STAGE, 0.1, 0.1)),
    ],
)
def test_the_advice_starts_from_what_is_held(
    stands: Standing, held: float, expected: tuple[Action, float, float]
) -> None:
    assert _said(settle(stands, held=held)) == expected


@pytest.mark.proof
@given(stands=STANDINGS, held=HELD)
def test_no_holding_is_levered_or_traded_inside_the_band(stands: Standing, held: float) -> None:
    found = settle(stands, held=held)
    assert 0.0 <= found.target_fraction <= 1.0
    band = NO_TRADE_SHARE * stands.scale + 1e-6
    match found.action:
        case Action.INVEST_NOW | Action.STAGE:
            assert found.target_fraction == stands.allowed
            assert found.size_fraction == pytest.approx(stands.allowed - held, abs=1e-6)
            assert held == 0.0 or found.size_fraction > band - 2e-6
            assert stands.action is found.action
        case Action.REDUCE:
            assert found.target_fraction == min(held, stands.keep)
            assert not stands.is_paused
            assert held == 0.0 or held - found.size_fraction > band - 2e-6
        case Action.HOLD:
            assert held > 0.0
            assert (found.size_fraction, found.target_fraction) == (0.0, held)
            assert stands.is_paused or held <= stands.keep + band
        case Action.WAIT:
            assert held == found.size_fraction == 0.0


@pytest.mark.proof
@given(stands=STANDINGS, held=HELD, less=st.floats(0.0, 1.0))
def test_more_risk_never_means_a_larger_target(stands: Standing, held: float, less: float) -> None:
    riskier = Standing(
        stands.action,
        stands.raw,
        round(stands.allowed * less, 6),
        round(stands.keep * less, 6),
        stands.scale,
        stands.is_paused,
        0,
        None,
    )
    assert settle(riskier, held=held).target_fraction <= settle(stands, held=held).target_fraction


@pytest.mark.parametrize("held", [-0.01, 1.01, math.nan, math.inf])
def test_an_unusable_holding_is_refused(held: float) -> None:
    with pytest.raises(Fault) as caught:
        recommend(daily_snapshot(900), held_fraction=held)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def _at(date: str, held: float, *, name: str = "SPX") -> Recommendation:
    return recommend(snapshot(HOME, name, as_of=parse_as_of(date)), held_fraction=held)


@pytest.mark.parametrize(
    ("name", "date", "held", "action", "target"),
    [
        ("SPX", "2017-06-30", 0.3, Action.INVEST_NOW, 1.0),
        ("SPX", "2017-06-30", 1.0, Action.HOLD, 1.0),
        ("SPX", "2008-10-10", 0.6, Action.HOLD, 0.6),
        ("SPX", "2018-12-24", 0.3, Action.HOLD, 0.3),
        ("IXIC", "2002-07-15", 0.1, Action.HOLD, 0.1),
    ],
)
def test_a_holder_is_answered_on_known_days(
    name: str, date: str, held: float, action: Action, target: float
) -> None:
    made = _at(date, held, name=name)
    assert (made.action, made.target_fraction, made.held_fraction) == (action, target, held)
    assert made.explanation[-1].rule == "holdings"


def test_a_holder_comes_down_in_the_long_fall_of_2002() -> None:
    made = _at("2002-07-15", 1.0, name="IXIC")
    assert made.action is Action.REDUCE
    assert made.size_fraction == made.target_fraction < 0.2


def test_what_is_held_is_part_of_the_identity() -> None:
    assert _at("2017-06-30", 0.0).id != _at("2017-06-30", 0.5).id
    assert _at("2017-06-30", 0.5).id == _at("2017-06-30", 0.5).id


def test_following_the_advice_leads_to_holding() -> None:
    for date in ("2004-06-01", "2013-05-01", "2017-06-30"):
        first = _at(date, 0.0)
        assert first.target_fraction is not None
        assert _at(date, first.target_fraction).action is Action.HOLD
