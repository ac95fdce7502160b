"""The page of the analysis: every module with its source and equation, read from its docstring."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Final

PACKAGES: Final = {
    "features": "What is known at a close",
    "models": "What may come: variance, odds, ranges, paths",
    "signals": "What the trend says",
    "risk": "What is dangerous now",
    "decision": "What to do, and what would change it",
    "backtest": "What following it would have earned",
    "honesty": "What luck and a peek at the future would have earned",
    "evaluation": "What the forecasts were worth",
}


def analysis_body() -> str:
    """Return one section a package: each module's docstring, and what it offers."""
    return "\n".join(_section(name, title) for name, title in PACKAGES.items())


def _section(name: str, title: str) -> str:
    package = import_module(f"when_to_invest.{name}")
    found = sorted(item.name for item in pkgutil.iter_modules(package.__path__))
    modules = [import_module(f"{package.__name__}.{each}") for each in found]
    return f"## {title}\n\n" + "\n".join(_module(each) for each in modules)


def _module(module: ModuleType) -> str:
    first, _, rest = (inspect.getdoc(module) or "").partition("\n\n")
    name = module.__name__.removeprefix("when_to_invest.")
    lines = [f"### `{name}`\n", f"**{first}** {' '.join(rest.split())}".rstrip() + "\n"]
    lines += [f"- `{each.__name__}`: {_summary(each)}" for each in _offered(module)]
    return "\n".join(lines).rstrip() + "\n"


def _offered(module: ModuleType) -> list[FunctionType]:
    members = [value for name, value in vars(module).items() if not name.startswith("_")]
    return [each for each in members if isinstance(each, FunctionType) and each.__module__ == module.__name__]


def _summary(function: FunctionType) -> str:
    return " ".join((inspect.getdoc(function) or "").split("\n\n", maxsplit=1)[0].split())
