"""Names say what a thing is; files say nothing of the machine they were written on."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

from tests.architecture.sources import all_python, sources, texts

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
NOT_UNITS = re.compile(r"(^|_)(pct|percent)(_|$)", re.IGNORECASE)
# Written in pieces, so that this file does not hold what it forbids.
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")))
MACHINE = re.compile("|".join(("/wo" + "rk/", r"\.\./sha" + "red", "/ro" + "ot/", "/tm" + "p/")))
CI = ".ci/run"
"""The one file that may look beside the checkout, for recorded data."""


def _identifiers(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [s.path for s in all_python() if VAGUE & set(PurePosixPath(s.path).with_suffix("").parts)]
    assert not vague


def test_every_module_says_its_role() -> None:
    assert not [
        s.path for s in all_python() if not ast.get_docstring(s.tree) and not s.path.startswith("tests/")
    ]


def test_percent_is_no_unit() -> None:
    named = {
        s.path: bad for s in sources() if (bad := {n for n in _identifiers(s.tree) if NOT_UNITS.search(n)})
    }
    assert not named


def test_nothing_is_left_for_later() -> None:
    assert not [name for name, text in texts().items() if UNFINISHED.search(text)]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert not {
        name: MACHINE.findall(text) for name, text in texts().items() if name != CI and MACHINE.search(text)
    }
