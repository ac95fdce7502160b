"""Small wrong changes to a module, one at a time, for proving that its tests notice.

A mutant swaps a comparison, an arithmetic or boolean operator, a number, a truth value, `min`
and `max`, turns a condition round, or returns nothing. Words for people, annotations and
imports are left alone.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """A module's tree with one change, and the change in words."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its text."""
    tree = ast.parse(source)
    found = []
    for number, node in enumerate(_judged_nodes(tree)):
        for change in range(len(_changes(node))):
            twin = copy.deepcopy(tree)
            target = _judged_nodes(twin)[number]
            what = _changes(target)[change]()
            found.append(Mutant(getattr(node, "lineno", 0), what, ast.fix_missing_locations(twin)))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.what))


def _judged_nodes(tree: ast.Module) -> list[ast.AST]:
    """Return the nodes that are code within functions, always in the same order."""
    nodes: list[ast.AST] = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                nodes.extend(_walk(statement))
    seen: set[int] = set()
    return [node for node in nodes if id(node) not in seen and not seen.add(id(node))]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk code, leaving out annotations and inner functions, which are walked by themselves."""
    if isinstance(node, ast.FunctionDef):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name == "annotation":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child)


Change = Callable[[], str]
"""Changes a node in place and says what it did."""


def _changes(node: ast.AST) -> list[Change]:
    """Return what can be changed in `node` itself."""
    return _operator_changes(node) + _flow_changes(node) + _value_changes(node)


def _operator_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        return [partial(_swap_comparison, node)]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return [partial(_swap_operator, node)]
    if isinstance(node, ast.BoolOp):
        return [partial(_swap_boolean, node)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [partial(_drop_sign, node)]
    return []


def _flow_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.If | ast.IfExp):
        return [partial(_fix_condition, node, value=True), partial(_fix_condition, node, value=False)]
    if isinstance(node, ast.Return) and not _is_none(node.value):
        return [partial(_return_nothing, node)]
    return []


def _value_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return [partial(_change_constant, node)]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        return [partial(_rename, node)]
    return []


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _swap_comparison(node: ast.Compare) -> str:
    before = type(node.ops[0])
    node.ops[0] = _COMPARISONS[before]()
    return f"{before.__name__} to {type(node.ops[0]).__name__}"


def _swap_operator(node: ast.BinOp) -> str:
    before = type(node.op)
    node.op = _OPERATORS[before]()
    return f"{before.__name__} to {type(node.op).__name__}"


def _swap_boolean(node: ast.BoolOp) -> str:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return f"to {type(node.op).__name__}"


def _fix_condition(node: ast.If | ast.IfExp, *, value: bool) -> str:
    node.test = ast.Constant(value)
    return f"condition always {value}"


def _drop_sign(node: ast.UnaryOp) -> str:
    before = type(node.op).__name__
    node.op = ast.UAdd() if isinstance(node.op, ast.USub) else node.op
    if isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    return f"without {before}"


def _change_constant(node: ast.Constant) -> str:
    before = node.value
    node.value = not before if isinstance(before, bool) else before + 1
    return f"{before} to {node.value}"


def _rename(node: ast.Name) -> str:
    before = node.id
    node.id = _NAMES[before]
    return f"{before} to {node.id}"


def _return_nothing(node: ast.Return) -> str:
    node.value = ast.Constant(None)
    return "returns nothing"
