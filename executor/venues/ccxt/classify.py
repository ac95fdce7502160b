"""What each failure of ccxt says about an order that was to be placed: one table.

Stage: executor → venue. A class that is not listed is ambiguous, one that derives from a
listed one too: ccxt's hierarchy groups by topic, not by what can still happen. Three traps
behind the choices, all seen with the version that is pinned:

* `InvalidOrder` is also Binance's "Duplicate order sent.", which is said of an order that lives.
* `InvalidNonce` is also Kraken's answer to a second copy of a request whose first copy it took.
* `RequestTimeout`, `ExchangeNotAvailable` and every other 4xx and 5xx without the venue's own
  words come from whatever stands between, after the venue may have taken the order.

What was never sent is known from the connection itself (`heard`), not from a class.
"""

from __future__ import annotations

from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from executor.venues.ccxt.heard import Heard


@unique
class Outcome(StrEnum):
    """What a failure says of the order."""

    DEFINITIVE = "definitive"
    """It does not exist and never will."""
    UNSENT = "unsent"
    """No byte of the request left."""
    AMBIGUOUS = "ambiguous"
    """It may exist."""


_D: Final = Outcome.DEFINITIVE
_A: Final = Outcome.AMBIGUOUS

OUTCOMES: Final = MappingProxyType(
    {
        "BaseError": _A,
        # The venue's own refusals, each for a reason that no other copy of the request can give.
        "AuthenticationError": _D,
        "PermissionDenied": _D,
        "AccountNotEnabled": _D,
        "AccountSuspended": _D,
        "BadSymbol": _D,
        "MarketClosed": _D,
        "RestrictedLocation": _D,
        "ContractUnavailable": _D,
        "NotSupported": _D,
        "ArgumentsRequired": _D,
        # Refusals that the first copy of a request can bring upon the second: looked up once.
        "BadRequest": _D,
        "InsufficientFunds": _D,
        "OrderImmediatelyFillable": _D,
        "OrderNotFillable": _D,
        # Bags: a refusal and a doubt under one name. A venue's own words may settle them.
        "ExchangeError": _A,
        "InvalidOrder": _A,
        "OperationRejected": _A,
        "ManualInteractionNeeded": _A,
        "NoChange": _A,
        "MarginModeAlreadySet": _A,
        # Said of an order that exists, or of none in particular.
        "DuplicateOrderId": _A,
        "OrderNotFound": _A,
        "OrderNotCached": _A,
        "CancelPending": _A,
        "InvalidAddress": _A,
        "AddressPending": _A,
        "UnsubscribeError": _A,
        "ExchangeClosedByUser": _A,
        "InvalidProxySettings": _A,
        # Something stood between, or the answer made no sense.
        "OperationFailed": _A,
        "NetworkError": _A,
        "DDoSProtection": _A,
        "RateLimitExceeded": _A,
        "ExchangeNotAvailable": _A,
        "OnMaintenance": _A,
        "InvalidNonce": _A,
        "ChecksumError": _A,
        "RequestTimeout": _A,
        "BadResponse": _A,
        "NullResponse": _A,
    }
)
"""Every class of ccxt 4.5.90 by name, once its request has left."""

BEYOND_DOUBT: Final = frozenset(
    {"AuthenticationError", "PermissionDenied", "AccountNotEnabled", "AccountSuspended", "BadSymbol"}
)
"""Refusals that are the same for every copy of a request: nothing needs to be looked up."""
_NEVER_TRIED: Final = frozenset({"ExchangeClosedByUser", "InvalidProxySettings"})


def outcome_of(error: Exception, heard: Heard, *, final_words: tuple[str, ...] = ()) -> Outcome:
    """Return what `error` says of the order whose request was `heard`.

    `final_words`: what the venue says only when it refuses for good; they settle a class that
    is ambiguous by itself, but never a failure of the connection.
    """
    from ccxt.base.errors import ExchangeError

    if not heard.is_sent:
        is_refused_here = isinstance(error, ExchangeError) and type(error).__name__ not in _NEVER_TRIED
        return Outcome.DEFINITIVE if is_refused_here else Outcome.UNSENT
    listed = OUTCOMES.get(type(error).__name__, Outcome.AMBIGUOUS) if is_known(error) else Outcome.AMBIGUOUS
    if listed is Outcome.DEFINITIVE:
        return listed
    if isinstance(error, ExchangeError) and any(words in str(error) for words in final_words):
        return Outcome.DEFINITIVE
    return Outcome.AMBIGUOUS


def is_known(error: Exception) -> bool:
    """Whether an error is one of ccxt's own classes, not only of the same name."""
    return type(error).__module__ == "ccxt.base.errors"
