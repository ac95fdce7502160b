"""Prose says what the analysis said: action, size, caveats, and no promise."""

from __future__ import annotations

import pytest

from agents.conduct import check_conduct, promises, verdict_line
from agents.grounding import Flaw
from tests.fakes.recommendations import recommendation
from when_to_invest.decision.recommendation import Action

CAVEATS = "The direction has no proven skill. It expires on 2019-01-03."


def flaws(text: str, action: Action = Action.INVEST_NOW, *, has_skill: bool = False) -> list[Flaw]:
    return [finding.flaw for finding in check_conduct(text, recommendation(action, has_skill=has_skill))]


@pytest.mark.parametrize("action", list(Action))
def test_the_expected_first_line_passes_for_every_action(action: Action) -> None:
    assert flaws(f"{verdict_line(recommendation(action))}\n{CAVEATS}", action) == []


@pytest.mark.parametrize(
    "line",
    [
        "**Verdict: invest now**, 40 % of the budget",
        "Verdict: invest_now, 40.0 percent",
        "## Verdict - invest now: 40 %",
    ],
)
def test_the_first_line_may_be_dressed(line: str) -> None:
    assert flaws(f"{line}\n{CAVEATS}") == []


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("I think you should invest.", Flaw.MISSING_VERDICT),
        ("Verdict: wait, 40 % of the budget", Flaw.WRONG_ACTION),
        ("Verdict: invest now, 60 % of the budget", Flaw.WRONG_SIZE),
        ("Verdict: invest now", Flaw.WRONG_SIZE),
        ("Verdict: invest now, sixty percent of the budget", Flaw.WRONG_SIZE),
    ],
)
def test_another_action_or_size_is_refused(line: str, flaw: Flaw) -> None:
    assert flaw in flaws(f"{line}\n{CAVEATS}")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action.WAIT, "Invest now, before it is too late."),
        (Action.WAIT, "Go all in."),
        (Action.REDUCE, "Buy it immediately."),
        (Action.STAGE, "Put the whole amount in right now."),
        (Action.INVEST_NOW, "You should wait for a better price."),
        (Action.INVEST_NOW, "Sell everything."),
        (Action.INVEST_NOW, "I recommend holding off."),
    ],
)
def test_advice_against_the_analysis_is_refused(action: Action, words: str) -> None:
    text = f"{verdict_line(recommendation(action))}\n{words}\n{CAVEATS}"
    assert Flaw.WRONG_ACTION in flaws(text, action)


def test_denying_another_action_is_welcome() -> None:
    line = verdict_line(recommendation(Action.WAIT))
    assert flaws(f"{line}\nThere is no reason to invest now.\n{CAVEATS}", Action.WAIT) == []


def test_another_part_of_the_budget_is_refused() -> None:
    text = f"{verdict_line(recommendation())}\nThat means 80 % of your budget.\n{CAVEATS}"
    assert flaws(text) == [Flaw.WRONG_SIZE]


def test_the_missing_skill_must_be_said_only_when_it_is_missing() -> None:
    text = f"{verdict_line(recommendation())}\nIt expires on 3 January 2019."
    assert flaws(text) == [Flaw.MISSING_CAVEAT]
    assert flaws(text, has_skill=True) == []


def test_the_expiry_must_be_said() -> None:
    assert flaws(f"{verdict_line(recommendation())}\nno proven skill") == [Flaw.MISSING_CAVEAT]


@pytest.mark.parametrize(
    "words",
    [
        "A gain is guaranteed.",
        "This is risk-free.",
        "You cannot lose.",
        "The index will rise.",
        "Prices are going to soar.",
        "It will double your money.",
        "I promise a profit.",
        "A sure thing.",
        "It will definitely work.",
        "guar\u200banteed gains",
        "**guaran**teed",
    ],
)
def test_a_promise_is_refused(words: str) -> None:
    assert promises(words)


@pytest.mark.parametrize(
    "words",
    [
        "Nothing is guaranteed.",
        "There is no guarantee.",
        "I cannot promise a return.",
        "It may rise or fall.",
    ],
)
def test_denying_a_promise_is_welcome(words: str) -> None:
    assert not promises(words)
