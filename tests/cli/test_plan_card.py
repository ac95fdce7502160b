"""What `status` says of an order with a plan, from before it begins to its end."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from cli.plan_card import plan_json, plan_lines
from tests.executor.planned import Planned
from when_to_invest.execution import PegPlan


@pytest.fixture
def world() -> Planned:
    return Planned()


def shown(world: Planned, decision_id: str) -> str:
    console = Console(width=110, file=io.StringIO(), record=True)
    for line in plan_lines(world.decision(decision_id), now=world.clock.now()):
        console.print(line)
    return console.export_text()


def test_before_it_begins_the_plan_is_all_there_is_to_say(world: Planned) -> None:
    decision_id = world.propose()
    text = shown(world, decision_id)
    assert "TWAP: 4 equal slices within 400 s" in text
    assert "it has not begun" in text
    assert plan_json(world.decision(decision_id), now=world.clock.now()) is None


def test_while_it_is_worked_window_progress_and_next_slice_are_told(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.fill_open()
    world.walk(50)
    text = shown(world, decision_id)
    assert "2018-06-04 21:05:00 → 2018-06-04 21:11:40 UTC, 12% of it gone" in text
    assert "3 of 12 traded (25%), 0 at the venue, 9 to come; limit 101 USD, arrival 100 USD" in text
    assert "the next slice, until 2018-06-04 21:06:40" in text
    assert "filled" in text


def test_a_plan_that_follows_the_market_says_so(world: Planned) -> None:
    decision_id = world.propose(PegPlan(duration_s=400))
    world.step()
    assert "what the market shows at the executor's next look" in shown(world, decision_id)


def test_when_it_is_over_it_says_how_and_why(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.callers = {}
    world.fill_open()
    world.restart()
    world.walk(120)
    assert "over, refused: forbidden" in shown(world, decision_id)
    told = plan_json(world.decision(decision_id), now=world.clock.now())
    assert told is not None
    assert (told["ending"], told["unfilled_size"], len(told["children"])) == ("refused", "9", 1)


def test_an_order_without_a_plan_has_nothing_to_tell(world: Planned) -> None:
    decision_id = world.gate.propose()
    assert not plan_lines(world.decision(decision_id), now=world.clock.now())


def test_an_amendment_shows_in_what_is_wanted(world: Planned) -> None:
    decision_id = world.propose()
    world.step()
    world.amend(decision_id, quantity="7")
    told = plan_json(world.decision(decision_id), now=world.clock.now())
    assert told is not None
    assert Decimal(told["wanted_size"]) == 7
