"""The table of controls is true: rules, limits, functions and tests exist, and no rule is forgotten."""

from __future__ import annotations

import ast
import pkgutil
from functools import cache
from pathlib import Path

import pytest

from policies.limits import Limits
from policies.rules import RULES
from when_to_invest.controls import CONTROLS
from when_to_invest.failures import FAILURES, Failure
from when_to_invest.promises import Control

ROOT = Path(__file__).parents[2]
ROWS: tuple[Control | Failure, ...] = (*CONTROLS, *FAILURES)
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }
    machines = {
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name) and name.id.startswith("Test")
    }
    return frozenset(functions | machines)


def test_every_rule_of_the_gate_carries_out_some_control() -> None:
    assert {rule for control in CONTROLS for rule in control.rules} == {rule.id for rule in RULES}


def test_every_limit_belongs_to_some_control() -> None:
    assert {limit for control in CONTROLS for limit in control.limits} == set(Limits.model_fields)


@each_row
def test_what_carries_a_row_out_exists(row: Control | Failure) -> None:
    for name in row.parts:
        assert pkgutil.resolve_name(name) is not None


@each_row
def test_what_shows_a_row_is_a_test(row: Control | Failure) -> None:
    for test in row.tests:
        path, _, name = test.partition("::")
        assert name in named_in(path) if name else named_in(path), test


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_control_rests_on_a_rule_or_on_a_part_that_a_test_shows(control: Control) -> None:
    assert control.rules or (control.parts and control.tests)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_what_is_handled_is_shown_and_what_is_not_built_says_so(failure: Failure) -> None:
    if failure.tests:
        assert failure.parts
    else:
        assert failure.handling.startswith("Not built: ")


def test_names_are_given_once() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
