"""ccxt as it is published, one exchange at a time.

Its packages import every exchange in their `__init__`, which takes seconds and 120 MB. Here
they are stood in for by modules that import a name when it is asked for; the exchange
classes themselves are untouched. Nothing but this package may import ccxt.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import MappingProxyType, ModuleType
from typing import Any, Final

from when_to_invest.errors import ErrorCode, Fault

ASYNC: Final = "ccxt.async_support"
_PACKAGES: Final = ("ccxt", ASYNC, "ccxt.pro")
_SHARED: Final = ("ccxt.base.errors", "ccxt.base.decimal_to_precision", "ccxt.base.precise")
_BASES: Final = MappingProxyType({"ccxt": "ccxt.base.exchange", ASYNC: "ccxt.async_support.base.exchange"})


class _OnDemand(ModuleType):
    """A package whose exchanges are imported when they are named."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "Exchange":
            return importlib.import_module(_BASES[self.__name__]).Exchange
        for place in _SHARED:
            if hasattr(module := importlib.import_module(place), name):
                return getattr(module, name)
        return self.exchange(name)

    def exchange(self, name: str) -> Any:
        """Return an exchange's class, and keep it where its module would stand."""
        found = getattr(importlib.import_module(f"{self.__name__}.{name}"), name)
        setattr(self, name, found)
        return found


def exchange_class(name: str) -> Any:
    """Return ccxt's asynchronous class of an exchange by its id, such as "kraken".

    Raises:
        Fault: `bad_config` when ccxt knows no such exchange.
    """
    if "ccxt" not in sys.modules:
        for package in _PACKAGES:
            _stand_in(package)
    if not name.isidentifier() or importlib.util.find_spec(f"{ASYNC}.{name}") is None:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            f"ccxt knows no exchange {name!r}",
            fix="use the id that ccxt gives the exchange, such as kraken",
        )
    return getattr(importlib.import_module(f"{ASYNC}.{name}"), name)


def _stand_in(name: str) -> None:
    parent, _, leaf = name.rpartition(".")
    path = sys.modules[parent].__path__ if parent else None
    spec = PathFinder.find_spec(leaf if parent else name, path)
    if spec is None or spec.submodule_search_locations is None:
        raise Fault(
            ErrorCode.BAD_CONFIG, "ccxt is not installed", fix="install the `executor` extra of this package"
        )
    module = _OnDemand(name)
    module.__path__ = list(spec.submodule_search_locations)
    module.__spec__ = ModuleSpec(name, None, origin=spec.origin, is_package=True)
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], leaf, module)
