"""Puts a mutant in place: into loaded functions, or in place of the module when it is imported."""

from __future__ import annotations

import ast
import gc
import importlib.abc
import importlib.machinery
import importlib.util
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutations.mutants import Mutant
from tests.mutations.targets import ROOT, Target

Place = tuple[str, int]
"""A file of the repository and the first line of a function in it."""


def loaded_functions(paths: frozenset[str]) -> dict[Place, list[FunctionType]]:
    """Return the functions in memory that came from the repository's `paths`."""
    files = {str(ROOT / path): path for path in paths}
    found: dict[Place, list[FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            place = (files[each.__code__.co_filename], each.__code__.co_firstlineno)
            found.setdefault(place, []).append(each)
    return found


def cached_functions(paths: frozenset[str]) -> list[Any]:
    """Return the functions in memory that remember their answers, from the repository's `paths`."""
    files = {str(ROOT / path) for path in paths}
    wrappers = [each for each in gc.get_objects() if isinstance(each, _lru_cache_wrapper)]
    return [each for each in wrappers if _file_of(each.__wrapped__) in files]


def _file_of(wrapped: object) -> str:
    return wrapped.__code__.co_filename if isinstance(wrapped, FunctionType) else ""


def code_of(tree: ast.Module, target: Target, mutant: Mutant) -> CodeType:
    """Return the compiled function that the mutant changed."""
    whole = compile(tree, str(ROOT / target.path), "exec")
    found = (each for each in codes_in(whole) if each.co_qualname == mutant.function)
    return next(each for each in found if each.co_firstlineno == mutant.first_line)


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of every function in a module, inner ones after theirs."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from codes_in(each)


class MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module as its mutant to whoever imports it."""

    def __init__(self, target: Target, tree: ast.Module) -> None:
        self._target = target
        self._tree = tree

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self._target.module:
            return None
        return importlib.util.spec_from_file_location(name, str(ROOT / self._target.path), loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        code = compile(self._tree, str(ROOT / self._target.path), "exec")
        exec(code, module.__dict__)  # noqa: S102 - the module itself, with one change
