"""The guard around every answer: silent towards the network, and it never lets a flaw pass."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from langchain_core.messages import ToolMessage

from agents.evidence import evidence_of
from agents.explanation import explain
from agents.grounding import Flaw
from agents.guards import LONGEST_ANSWER, check, examine
from agents.proposals import proposed_order
from agents.request import Request
from tests.fakes.agent_services import REASON
from tests.fakes.recommendations import recommendation
from when_to_invest.decision.recommendation import Action

BUDGET_USD = Decimal("12345.67")
NO_NETWORK = """
import os, socket, sys
def refuse(*args, **kwargs):
    sys.stderr.write(f"NETWORK {args}")
    os._exit(7)
for name in ("getaddrinfo", "create_connection", "gethostbyname"):
    setattr(socket, name, refuse)
socket.socket.connect = socket.socket.connect_ex = refuse
from agents.evidence import Evidence
from agents.guards import check
for text in ("nothing", "99 %", ""):
    check(text, evidence=Evidence(), recommendation=None)
import guardrails
guardrails.Guard().validate("another guard of this process")
print("silent", sorted({name.partition(".")[0] for name in sys.modules} & {"boto3", "botocore", "litellm"}))
"""


def standing_of(text: str, action: Action = Action.INVEST_NOW) -> list[Flaw]:
    answer = recommendation(action)
    request = Request(question="?", instrument="SPX", budget_usd=BUDGET_USD)
    known = evidence_of([], request=request, recommendation=answer)
    return [finding.flaw for finding in check(text, evidence=known, recommendation=answer).findings]


@pytest.mark.parametrize("action", list(Action))
def test_the_analysis_in_its_own_words_always_passes(action: Action) -> None:
    assert standing_of(explain(recommendation(action), budget_usd=BUDGET_USD), action) == []


def test_an_order_may_be_told_only_from_its_own_result() -> None:
    told = {"decision_id": "d-" + "0" * 24, "state": "refused", "verdict": "refused", "reasons": [REASON]}
    answer = recommendation()
    text = explain(answer, budget_usd=BUDGET_USD, orders=[proposed_order(told)])
    made = ToolMessage(
        content="", artifact={"structured": told}, name="orders__propose_order", tool_call_id="c"
    )
    request = Request(question="?", instrument="SPX", budget_usd=BUDGET_USD)
    known = evidence_of([made], request=request, recommendation=answer)
    assert check(text, evidence=known, recommendation=answer).passed
    assert Flaw.UNSUPPORTED_NUMBER in standing_of(text)


def test_an_invented_number_is_refused() -> None:
    text = explain(recommendation(), budget_usd=BUDGET_USD) + "\nIt gained 31.4 % last year."
    assert standing_of(text) == [Flaw.UNSUPPORTED_NUMBER]


@pytest.mark.parametrize("text", ["", "   ", "x" * (LONGEST_ANSWER + 1)])
def test_an_empty_or_endless_answer_is_refused(text: str) -> None:
    assert standing_of(text)


def test_the_library_says_what_our_checks_say() -> None:
    request = Request(question="?", instrument="SPX")
    known = evidence_of([], request=request, recommendation=recommendation())
    for text in ("Verdict: wait, 3 %", "99 %", explain(recommendation(), budget_usd=None)):
        assert check(text, evidence=known, recommendation=recommendation()) == examine(
            text, evidence=known, recommendation=recommendation()
        )


@pytest.mark.slow
def test_nothing_reaches_the_network_even_without_a_configuration_file(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", NO_NETWORK],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "silent []"), ran.stderr
