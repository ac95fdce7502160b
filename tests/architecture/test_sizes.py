"""Small pieces: a ceiling for every module, class and function."""

from __future__ import annotations

import ast

from tests.architecture.sources import sources

MODULE_LINES = 300
CLASS_LINES = 150
FUNCTION_LINES = 40
USUAL_FUNCTION_LINES = 25
USUAL_SHARE = 0.90
POSITIONAL_PARAMETERS = 5


def _lines(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return len(names) - (1 if names[:1] in (["self"], ["cls"]) else 0)


def test_no_module_outgrows_its_idea() -> None:
    long = {s.path: n for s in sources() if (n := len(s.text.splitlines())) > MODULE_LINES}
    assert not long


def test_no_class_outgrows_its_idea() -> None:
    classes = [(s.path, n) for s in sources() for n in s.walk() if isinstance(n, ast.ClassDef)]
    long = {f"{path}:{node.name}": _lines(node) for path, node in classes if _lines(node) > CLASS_LINES}
    assert not long


def test_no_function_outgrows_a_screen() -> None:
    functions = [(s.path, node) for s in sources() for node in s.functions()]
    long = {f"{path}:{node.name}": _lines(node) for path, node in functions if _lines(node) > FUNCTION_LINES}
    assert not long


def test_nine_functions_in_ten_are_short() -> None:
    sizes = [_lines(node) for s in sources() for node in s.functions()]
    short = sum(size <= USUAL_FUNCTION_LINES for size in sizes)
    assert short >= USUAL_SHARE * len(sizes)


def test_nothing_takes_more_than_five_positional_parameters() -> None:
    functions = [(s.path, node) for s in sources() for node in s.functions()]
    wide = {f"{p}:{n.name}": _positional(n) for p, n in functions if _positional(n) > POSITIONAL_PARAMETERS}
    assert not wide
