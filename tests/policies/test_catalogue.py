"""The generated pages say what runs: every rule, code and limit, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies import rules
from policies.catalogue import limits_markdown, refusals_markdown, rules_markdown
from policies.gate import GATE_CODES
from policies.limit_notes import limit_notes
from policies.limits import HARD_LIMITS, Limits, tighten
from policies.rules import RULES

RULE_TESTS = Path(__file__).parent / "rules"


def first_cells(table: str) -> list[str]:
    return [re.split(r"(?<!\\)\|", line)[1].strip().strip("`") for line in table.splitlines()[2:]]


def test_every_limit_is_listed_with_its_value_and_unit() -> None:
    assert first_cells(limits_markdown()) == list(Limits.model_fields)
    assert "| `max_order_notional_usd` | 25000 | USD | a smaller value |" in limits_markdown()
    lower = tighten(HARD_LIMITS, {"max_order_notional_usd": "7"})
    assert "| `max_order_notional_usd` | 7 | USD |" in limits_markdown(lower)


def test_every_rule_is_listed_in_the_order_of_its_reasons() -> None:
    assert first_cells(rules_markdown()) == [rule.id for rule in RULES]


def test_a_rule_that_signatures_lift_is_told_from_one_that_nothing_lifts() -> None:
    kinds = {
        line.split("|")[1].strip(" `"): line.split("|")[2].strip() for line in rules_markdown().splitlines()
    }
    assert {rule for rule, kind in kinds.items() if kind == "hold"} == {"approvals", "split_orders"}
    assert list(kinds.values()).count("hard") == len(RULES) - 2


def test_every_limit_has_the_unit_that_its_name_says() -> None:
    units = {note.name: note.unit for note in limit_notes(HARD_LIMITS)}
    assert units["allowed_venues"] == units["denied_instruments"] == "names"
    assert units["max_messages_per_minute"] == units["approver_quorum"] == "count"
    assert (units["price_collar_bps"], units["envelope_ttl_s"]) == ("bps", "s")
    assert (units["max_order_notional_usd"], units["max_order_quantity"]) == ("USD", "base units")


def test_every_reason_code_is_listed_once() -> None:
    listed = first_cells(refusals_markdown())
    assert len(listed) == len(set(listed))
    assert set(listed) == {code for rule in RULES for code in rule.codes} | {"missing_fact", *GATE_CODES}


def test_a_bar_within_a_cell_opens_no_cell() -> None:
    piped = HARD_LIMITS.model_copy(update={"allowed_venues": frozenset({"a|b"})})
    assert "| a\\|b |" in limits_markdown(piped)


@pytest.mark.parametrize("table", [limits_markdown(), rules_markdown(), refusals_markdown()])
def test_each_line_has_as_many_cells_as_the_head(table: str) -> None:
    widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
    assert len(widths) == 1


def test_every_rule_file_runs_and_has_an_id_of_its_name() -> None:
    files = {path.stem for path in Path(rules.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == {rule.id for rule in RULES}
    assert len(RULES) == len(files)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_owns_an_allow_a_refuse_and_a_property_test(rule: str) -> None:
    text = (RULE_TESTS / f"test_{rule}_rule.py").read_text()
    names = re.findall(r"^def (test_\w+)", text, flags=re.MULTILINE)
    assert any(
        "pass" in name or "lift" in name or "needs_nobody" in name or "none_of" in name for name in names
    )
    assert any("refuse" in name or "hold" in name for name in names)
    assert "@given(" in text
    assert len(names) >= 3
