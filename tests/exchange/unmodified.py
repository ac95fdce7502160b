"""ccxt as it is published, one exchange at a time, pointed at a local exchange.

The package's own `__init__` imports every exchange, which takes seconds; here its three
packages are stood in for by modules that import a name when it is asked for. The exchange
classes themselves are untouched.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from tests.exchange.server import Local
from tests.exchange.venues import Credentials

PLACES = {"async": "ccxt.async_support", "pro": "ccxt.pro"}
SHARED = ("ccxt.base.errors", "ccxt.base.decimal_to_precision", "ccxt.base.precise")
BASES = {"ccxt": "ccxt.base.exchange", "ccxt.async_support": "ccxt.async_support.base.exchange"}


class _OnDemand(ModuleType):
    """A package whose exchanges are imported when they are named."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "Exchange":
            return importlib.import_module(BASES[self.__name__]).Exchange
        for place in SHARED:
            if hasattr(module := importlib.import_module(place), name):
                return getattr(module, name)
        return self.exchange(name)

    def exchange(self, name: str) -> Any:
        """Return an exchange's class, and keep it where its module would stand."""
        found = getattr(importlib.import_module(f"{self.__name__}.{name}"), name)
        setattr(self, name, found)
        return found


def _stand_in(name: str) -> None:
    parent, _, leaf = name.rpartition(".")
    path = sys.modules[parent].__path__ if parent else None
    spec = PathFinder.find_spec(leaf if parent else name, path)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(name)
    module = _OnDemand(name)
    module.__path__ = list(spec.submodule_search_locations)
    module.__spec__ = ModuleSpec(name, None, origin=spec.origin, is_package=True)
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], leaf, module)


def exchange_class(name: str, *, kind: str = "pro") -> Any:
    """Return ccxt's class for an exchange: "async" for REST, "pro" with streams."""
    if "ccxt" not in sys.modules:
        for place in ("ccxt", *PLACES.values()):
            _stand_in(place)
    if kind == "pro":
        sys.modules[PLACES["async"]].exchange(name)
    return sys.modules[PLACES[kind]].exchange(name)


def client(local: Local, *, kind: str = "pro", credentials: Credentials | None = None, **config: Any) -> Any:
    """Return an unmodified ccxt client of a local exchange."""
    keys = credentials or local.counter.credentials
    options = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}
    built = exchange_class(local.dialect, kind=kind)(
        {
            "apiKey": keys.key,
            "secret": keys.secret,
            "enableRateLimit": False,
            "timeout": 5_000,
            "options": {**options, "fetchMargins": False},
            **config,
        }
    )
    POINTERS[local.dialect](built.urls["api"], local.port)
    return built


def _point_binance(urls: dict[str, Any], port: int) -> None:
    for name in ("public", "private"):
        urls[name] = f"http://127.0.0.1:{port}/api/v3"
    for name in ("sapi", "sapiV2", "sapiV3", "sapiV4", "v1"):
        urls[name] = f"http://127.0.0.1:{port}/{name}"
    if "ws" in urls:
        urls["ws"]["spot"] = f"ws://127.0.0.1:{port}/stream/ws"
        urls["ws"]["ws-api"]["spot"] = f"ws://127.0.0.1:{port}/ws-api/v3"


def _point_kraken(urls: dict[str, Any], port: int) -> None:
    for name in ("public", "private"):
        urls[name] = f"http://127.0.0.1:{port}"
    if "ws" in urls:
        urls["ws"] |= {
            "publicV2": f"ws://127.0.0.1:{port}/v2",
            "privateV2": f"ws://127.0.0.1:{port}/private/v2",
            "private": f"ws://127.0.0.1:{port}/private/v2",
        }


def _point_coinbase(urls: dict[str, Any], port: int) -> None:
    urls["rest"] = f"http://127.0.0.1:{port}"
    if "ws" in urls:
        urls["ws"] = f"ws://127.0.0.1:{port}/coinbase/ws"


POINTERS = {"coinbase": _point_coinbase, "binance": _point_binance, "kraken": _point_kraken}
