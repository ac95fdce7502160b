"""Small wrong changes to a module, one at a time, for proving that its tests notice.

A mutant swaps a comparison, an arithmetic, set or boolean operator, a number, a truth value,
`min` and `max`, turns a condition round, returns nothing, leaves out a call made for its effect,
or swallows what a handler would have told. Words for people, annotations and imports are left
alone.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
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
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_LONG_LINE = 100
_AROUND = 30
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Function:
    """A function of a module or of one of its classes, with what is written inside it."""

    name: str
    node: ast.FunctionDef

    @property
    def first_line(self) -> int:
        return min(self.node.lineno, *(each.lineno for each in self.node.decorator_list), self.node.lineno)


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it does, and a name that survives moved lines."""

    line: int
    function: str
    first_line: int
    what: str
    name: str
    place: tuple[int, int, int]


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its text."""
    found: list[Mutant] = []
    names: Counter[str] = Counter()
    for order, function in enumerate(functions(ast.parse(source))):
        before = ast.unparse(function.node).splitlines()
        for number, node in enumerate(_inside(function.node)):
            for change in range(len(_changes(node))):
                twin = copy.deepcopy(function.node)
                what = _changes(_inside(twin)[number])[change]()
                name = f"{function.name}: {_difference(before, ast.unparse(twin).splitlines())}"
                names[name] += 1
                name = name if names[name] == 1 else f"{name} ({names[name]})"
                line = getattr(node, "lineno", function.node.lineno)
                place = (order, number, change)
                found.append(Mutant(line, function.name, function.first_line, what, name, place))
    return found


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the module's tree with the one change in it."""
    tree = ast.parse(source)
    order, number, change = mutant.place
    function = list(functions(tree))[order]
    _changes(_inside(function.node)[number])[change]()
    return ast.fix_missing_locations(tree)


def functions(tree: ast.Module) -> Iterator[Function]:
    """Yield the functions and methods in the order of the text; inner ones belong to theirs."""
    yield from _functions(tree, "")


def _functions(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[Function]:
    for node in parent.body:
        if isinstance(node, ast.FunctionDef):
            yield Function(prefix + node.name, node)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _inside(function: ast.FunctionDef) -> list[ast.AST]:
    """Return the nodes that are code within a function, always in the same order."""
    return [node for statement in function.body for node in _walk(statement)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk code, leaving out annotations and what an inner function is given."""
    if isinstance(node, ast.FunctionDef):
        for statement in node.body:
            yield from _walk(statement)
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name == "annotation":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child)


def _difference(before: list[str], after: list[str]) -> str:
    """Return the first line that differs, as it was and as it is; of a long one what is around."""
    pairs = ((was.strip(), now.strip()) for was, now in zip(before, after, strict=False) if was != now)
    was, now = next(pairs)
    if len(was) <= _LONG_LINE:
        return f"{was} => {now}"
    same = _alike(was, now)
    rest = _alike(was[same:][::-1], now[same:][::-1])
    start = max(0, same - _AROUND)
    shown = (each[start : max(same, len(each) - rest) + _AROUND] for each in (was, now))
    return " => ".join(each if len(each) <= _LONG_LINE else f"{each[:_LONG_LINE]}…" for each in shown)


def _alike(one: str, other: str) -> int:
    """Return how many characters the two begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


Change = Callable[[], str]
"""Changes a node in place and says what it did."""


def _changes(node: ast.AST) -> list[Change]:
    """Return what can be changed in `node` itself."""
    return _operator_changes(node) + _flow_changes(node) + _value_changes(node) + _effect_changes(node)


def _operator_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.Compare):
        return [
            partial(_swap_comparison, node, at) for at, op in enumerate(node.ops) if type(op) in _COMPARISONS
        ]
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        return [partial(_swap_operator, node)]
    if isinstance(node, ast.BoolOp):
        return [partial(_swap_boolean, node)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [partial(_drop_sign, node)]
    return []


def _flow_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.If | ast.IfExp):
        return [partial(_fix_condition, node, value=True), partial(_fix_condition, node, value=False)]
    if isinstance(node, ast.comprehension) and node.ifs:
        return [partial(_drop_filter, node, at) for at in range(len(node.ifs))]
    if isinstance(node, ast.Return) and not _is_none(node.value):
        return [partial(_return_nothing, node)]
    return []


def _value_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return [partial(_change_constant, node)]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        return [partial(_rename, node)]
    return []


def _effect_changes(node: ast.AST) -> list[Change]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _is_unreachable(node.value):
        return [partial(_drop_call, node)]
    if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[0], ast.Pass):
        return [partial(_swallow, node)]
    return []


def _is_unreachable(call: ast.Call) -> bool:
    """Whether the types promise that nothing gets there."""
    return isinstance(call.func, ast.Name) and call.func.id == "assert_never"


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _swap_comparison(node: ast.Compare, at: int) -> str:
    before = type(node.ops[at])
    node.ops[at] = _COMPARISONS[before]()
    return f"{before.__name__} to {type(node.ops[at]).__name__}"


def _swap_operator(node: ast.BinOp | ast.AugAssign) -> str:
    before = type(node.op)
    node.op = _OPERATORS[before]()
    return f"{before.__name__} to {type(node.op).__name__}"


def _swap_boolean(node: ast.BoolOp) -> str:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return f"to {type(node.op).__name__}"


def _fix_condition(node: ast.If | ast.IfExp, *, value: bool) -> str:
    node.test = ast.Constant(value)
    return f"condition always {value}"


def _drop_filter(node: ast.comprehension, at: int) -> str:
    node.ifs[at] = ast.Constant(value=True)
    return "without a filter"


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


def _drop_call(node: ast.Expr) -> str:
    node.value = ast.Constant(None)
    return "without a call"


def _swallow(node: ast.ExceptHandler) -> str:
    node.body = [ast.Pass()]
    return "swallows"
