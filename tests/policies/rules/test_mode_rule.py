"""An intent of one mode is never judged, or executed, in another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policies.limits import HARD_LIMITS
from tests.strategies.situations import (
    Situation,
)
from when_to_invest.values import Mode


def test_the_same_mode_passes() -> None:
    assert Situation().asking(mode=Mode.PAPER).but(mode=Mode.PAPER).codes() == set()


def test_another_mode_is_refused() -> None:
    said = Situation().asking(mode=Mode.PAPER).objection("mode")
    assert said is not None
    assert (said.code, said.limit, said.attempted) == ("wrong_mode", "replay", "paper")
    assert said.fix == "propose in mode replay"
    live = Situation().asking(mode=Mode.LIVE).but(mode=Mode.LIVE).objection("mode")
    assert live is not None
    assert (live.limit, live.fix) == ("none", "this process may not trade in its mode")


@given(st.sampled_from(Mode), st.sampled_from(Mode))
def test_only_equal_and_allowed_modes_pass(asked: Mode, process: Mode) -> None:
    is_fine = asked is process and asked in HARD_LIMITS.allowed_modes
    assert ("wrong_mode" in Situation().asking(mode=asked).but(mode=process).codes()) is not is_fine
