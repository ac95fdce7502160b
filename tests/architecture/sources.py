"""The repository as the architecture tests see it: our modules, parsed once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "agents",
    "cli",
    "compute",
    "executor",
    "graphs",
    "home",
    "ledger",
    "market_data",
    "policies",
    "signing",
    "tool_servers",
    "when_to_invest",
)
SCRIPTS = ("benchmarks", "docs", "infra")
NOT_OURS = {"node_modules", "build", "dist", "__pycache__"}


@dataclass(frozen=True)
class Source:
    """One module of ours: its path from the root, text and syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.partition("/")[0]

    def walk(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in self.walk() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def imports(self) -> Iterator[str]:
        """Yield the dotted name of every import, those inside functions too."""
        for node in self.walk():
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def sources() -> tuple[Source, ...]:
    """Return every module that runs in production."""
    return _parsed(PACKAGES)


@functools.cache
def all_python() -> tuple[Source, ...]:
    """Return production, scripts and tests."""
    return _parsed((*PACKAGES, *SCRIPTS, "tests"))


def texts() -> dict[str, str]:
    """Return every text file by its path, except the lock file, which a machine writes."""
    found = {}
    for path in sorted(_ours(ROOT)):
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    found.pop("uv.lock")
    return found


def _parsed(folders: tuple[str, ...]) -> tuple[Source, ...]:
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    read = ((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)
    return tuple(Source(path, text, ast.parse(text)) for path, text in read)


def _ours(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        is_hidden = path.name.startswith(".") and path.name not in {".ci", ".github", ".gitignore"}
        if is_hidden or path.name in NOT_OURS or path.is_symlink():
            continue
        if path.is_dir():
            yield from _ours(path)
        else:
            yield path
