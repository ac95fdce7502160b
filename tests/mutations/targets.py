"""What is mutated, which tests must notice, and what makes a finding out of date."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_GATE = ("tests/policies",)
_WHOLE_GATE = ("tests/policies/test_gate.py", "tests/policies/rules/test_forgotten_facts.py")
_CORE = tuple(
    f"tests/when_to_invest/test_{name}.py"
    for name in (
        "breakers",
        "canonical",
        "events",
        "history",
        "order_life",
        "portfolio",
        "portfolio_memory",
        "recent",
        "standing",
        "wealth",
        "values_that_travel",
    )
)
_JOURNAL = tuple(
    f"tests/ledger/test_{name}.py"
    for name in (
        "bad_storage",
        "chain",
        "decisions",
        "decisions_in_memory",
        "fitting",
        "full_disk",
        "halting",
        "journal_contract",
        "killed_writer",
        "live",
        "live_state",
        "opening_journals",
        "sqlite_journal",
        "sqlite_migrations",
        "turns",
        "verify",
        "verify_reasons",
        "what_a_settlement_fits",
        "witness",
    )
)
_AHEAD = ("tests/ledger/test_read_ahead.py",)
_SHELF = tuple(f"tests/ledger/test_{name}.py" for name in ("shelf", "decisions", "decisions_in_memory"))
_LAYOUT = tuple(
    f"tests/ledger/test_{name}.py"
    for name in ("sqlite_layout", "sqlite_migrations", "opening_journals", "sqlite_journal", "verify")
)
_TALLIES = (
    "tests/when_to_invest/test_tallies_step_by_step.py",
    "tests/when_to_invest/test_portfolio.py",
    "tests/when_to_invest/test_recent.py",
    "tests/policies/test_tallies.py",
)
_HISTORY = ("tests/when_to_invest/test_history.py", "tests/when_to_invest/test_order_life.py", *_SHELF)
_POSTGRES = tuple(
    f"tests/ledger/test_{name}.py"
    for name in ("postgres_journal", "postgres_link", "postgres_schema", "journal_contract")
)
_LEDGER_MODULES = (
    "chain",
    "checking",
    "decisions",
    "fitting",
    "halting",
    "journal",
    "live",
    "verify",
    "witness",
)
_LAYOUT_MODULES = ("journal_schema", "sqlite_layout", "sqlite_migrations")
_SERVER_MODULES = ("journal", "link", "migrations", "schema")
_CORE_MODULES = (
    "breakers",
    "canonical",
    "events",
    "holdings",
    "portfolio",
    "recent",
    "standing",
    "wealth",
)


@dataclass(frozen=True)
class Target:
    """A module's file, the files and folders of the tests that must notice, its own first, and whether
    they need a PostgreSQL server."""

    path: str
    tests: tuple[str, ...]
    is_on_server: bool = False

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def source(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")


def targets() -> list[Target]:
    """Return every module of the gate, and what the journal is made of and folded by."""
    rules = [path.stem for path in sorted((ROOT / "policies" / "rules").glob("*.py"))]
    gate = [path.stem for path in sorted((ROOT / "policies").glob("*.py"))]
    found = [
        Target(f"policies/rules/{name}.py", (f"tests/policies/rules/test_{name}_rule.py", *_WHOLE_GATE))
        for name in rules
        if name != "__init__"
    ]
    found += [Target(f"policies/{name}.py", _GATE) for name in gate if name != "__init__"]
    found += [Target(f"ledger/{name}.py", _JOURNAL) for name in _LEDGER_MODULES]
    found += [Target(f"ledger/sqlite_{name}.py", (*_JOURNAL, *_AHEAD)) for name in ("journal", "rows")]
    found += [Target("ledger/links.py", _JOURNAL)]
    found += [Target("ledger/shelf.py", _SHELF)]
    found += [Target(f"ledger/{name}.py", _LAYOUT) for name in _LAYOUT_MODULES]
    found += [Target(f"ledger/postgres_{name}.py", _POSTGRES, is_on_server=True) for name in _SERVER_MODULES]
    found += [Target(f"when_to_invest/{name}.py", (*_CORE, *_JOURNAL, *_GATE)) for name in _CORE_MODULES]
    return [
        *found,
        Target("when_to_invest/history.py", _HISTORY),
        Target("when_to_invest/tallies.py", _TALLIES),
    ]


def code_hash(source: str) -> str:
    """Return what changes with the code of a module, not with its layout, comments or docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return _short(ast.dump(tree).encode())


def hash_of_tests(target: Target) -> str:
    """Return what changes with the target's tests or with anything in `tests/` that they import."""
    seen: set[Path] = {ROOT / "tests" / "conftest.py"}
    for test in target.tests:
        for path in _files(ROOT / test):
            _follow(path, seen)
    return _short(b"".join(_digest(path) for path in sorted(seen)))


def _files(test: Path) -> Iterator[Path]:
    if test.is_file():
        yield test
    else:
        yield from sorted(test.rglob("test_*.py"))


def _follow(path: Path, seen: set[Path]) -> None:
    if path not in seen:
        seen.add(path)
        for imported in _imported_tests(path):
            _follow(imported, seen)


@cache
def _imported_tests(path: Path) -> tuple[Path, ...]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    files = [ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("tests.")]
    return tuple(file for file in files if file.is_file())


@cache
def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
