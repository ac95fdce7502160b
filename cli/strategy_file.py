"""A strategy of the user's own, loaded from FILE.py:Class.

Command line only: the code runs with the user's rights, in the user's process. Never reachable
from a tool server. What it raises, an exit of the process included, comes back as a fault: a run
that ended early must not look like one that found nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.backtest.strategy import Strategy
    from when_to_invest.backtest.view import MarketView

_PROTOCOL: Final = "a class with `name` and `decide(self, view)`; see docs/strategies.md"


class UserStrategy:
    """Passes questions on, and turns whatever the user's code raises into a fault."""

    def __init__(self, made: Strategy, source: str) -> None:
        self.name = str(getattr(made, "name", source))
        self._made = made
        self._source = source

    def decide(self, view: MarketView) -> float | None:
        """Return the user's answer.

        Raises:
            Fault: `bad_argument`, naming error and bar.
        """
        try:
            return self._made.decide(view)
        except (Exception, SystemExit) as error:
            raise _broken(self._source, f"raised {_described(error)} at bar {len(view) - 1}") from error


def is_file(name: str) -> bool:
    """Whether a strategy argument means a file."""
    return ":" in name


def load_strategy(reference: str) -> Strategy:
    """Return a new strategy of `FILE.py:Class`.

    Raises:
        Fault: `bad_argument` when file or class is missing, or the class is no strategy.
    """
    file, _, name = reference.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not path.is_file():
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"there is no Python file {file[:120]!r}",
            fix="give a strategy as FILE.py:Class, such as examples/buy_the_dip.py:BuyTheDip",
        )
    kind = getattr(_module(path), name, None)
    if not isinstance(kind, type):
        raise _broken(reference, f"does not exist: {path.name} has no class {name[:60]!r}")
    try:
        made = kind()
        strategy = UserStrategy(made, reference)
    except (Exception, SystemExit) as error:
        raise _broken(reference, f"cannot be made: {_described(error)}") from error
    if not callable(getattr(made, "decide", None)):
        raise _broken(reference, "has no method decide")
    return strategy


def source_hash(reference: str) -> str:
    """Return the SHA-256 of the file of `FILE.py:Class`: edited, it is another strategy."""
    return hashlib.sha256(Path(reference.rpartition(":")[0]).read_bytes()).hexdigest()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("user_strategy", path)
    if spec is None or spec.loader is None:
        raise _broken(str(path), "cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _broken(str(path), f"cannot be loaded: {_described(error)}") from error
    return module


def _described(error: BaseException) -> str:
    """Return kind and first line of an error of the user's own code."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:160]}"


def _broken(source: str, why: str) -> Fault:
    return Fault(ErrorCode.BAD_ARGUMENT, f"strategy {source[:120]} {why}", fix=f"it must be {_PROTOCOL}")
