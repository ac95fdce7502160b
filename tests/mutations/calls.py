"""Which functions of the targets a test calls, and which run while modules are imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import CodeType, FunctionType

from tests.mutations.mutants import functions
from tests.mutations.swapping import Place, codes_in
from tests.mutations.targets import ROOT, Target, targets

_NOTE = "__mutation_tests_note__"


def noting(target: Target) -> dict[Place, CodeType]:
    """Return the compiled functions of a module, each telling its place before it does anything else."""
    tree = ast.parse(target.source)
    for function in functions(tree):
        told = ast.Constant((target.path, function.first_line))
        note = ast.Expr(ast.Call(ast.Name(_NOTE, ast.Load()), [told], []))
        function.node.body.insert(0, ast.copy_location(note, function.node))
    whole = compile(ast.fix_missing_locations(tree), str(ROOT / target.path), "exec")
    return {(target.path, code.co_firstlineno): code for code in codes_in(whole)}


def note_calls(loaded: Mapping[Place, Iterable[FunctionType]], of: Iterable[Target]) -> set[Place]:
    """Let the loaded functions of targets tell when they are called; return the set they tell."""
    seen: set[Place] = set()
    codes = {place: code for target in of for place, code in noting(target).items()}
    for place, found in loaded.items():
        for each in found:
            if each.__code__.co_qualname == codes[place].co_qualname:
                each.__code__ = codes[place]
                each.__globals__[_NOTE] = seen.add
    return seen


def called_at_import(of: Iterable[Target]) -> frozenset[Place]:
    """Return the functions that the program's modules call by name while they are imported."""
    names = {name for target in targets() for name in _called_outside_functions(ast.parse(target.source))}
    return frozenset(
        (target.path, function.first_line)
        for target in of
        for function in functions(ast.parse(target.source))
        if function.name.rpartition(".")[2] in names
    )


def _called_outside_functions(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            waiting += node.decorator_list
            continue
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func).rpartition(".")[2])
        waiting += ast.iter_child_nodes(node)
    return found
