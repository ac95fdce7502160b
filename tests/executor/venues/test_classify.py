"""One table says what every failure of ccxt means for an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from executor.venues.ccxt.binance import Binance
from executor.venues.ccxt.classify import OUTCOMES, Outcome, outcome_of
from executor.venues.ccxt.coinbase import Coinbase
from executor.venues.ccxt.heard import Heard
from executor.venues.ccxt.kraken import Kraken
from executor.venues.ccxt.library import exchange_class

exchange_class("kraken")
from ccxt.base import errors  # noqa: E402 - after its package was stood in for

SENT = Heard(is_sent=True)


def named(tree: dict[str, Any]) -> Iterator[str]:
    for name, below in tree.items():
        yield name
        yield from named(below)


EVERY = sorted(named(errors.error_hierarchy))


def test_every_class_that_ccxt_has_is_listed_and_nothing_else() -> None:
    classes = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.BaseError)
    }
    assert set(OUTCOMES) == classes == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_a_sent_request_fails_as_its_own_class_is_listed(name: str) -> None:
    assert outcome_of(getattr(errors, name)("why"), SENT) is OUTCOMES[name]


@pytest.mark.parametrize("name", EVERY)
def test_a_class_of_the_same_name_or_below_a_listed_one_is_ambiguous(name: str) -> None:
    for below in (getattr(errors, name), Exception):
        unlisted = type(name, (below,), {"__module__": __name__})
        assert outcome_of(unlisted("why"), SENT) is Outcome.AMBIGUOUS


@pytest.mark.parametrize("error", [KeyError("id"), TypeError("None"), ValueError("x"), OSError("gone")])
def test_what_is_not_ccxts_is_ambiguous_once_sent_and_unsent_before(error: Exception) -> None:
    assert outcome_of(error, SENT) is Outcome.AMBIGUOUS
    assert outcome_of(error, Heard()) is Outcome.UNSENT


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_ambiguous_that_was_never_sent(name: str) -> None:
    assert outcome_of(getattr(errors, name)("why"), Heard()) is not Outcome.AMBIGUOUS


@pytest.mark.parametrize("name", ["RequestTimeout", "ExchangeNotAvailable", "NetworkError", "InvalidNonce"])
def test_no_words_make_a_failed_connection_a_refusal(name: str) -> None:
    error = getattr(errors, name)("Filter failure: LOT_SIZE")
    assert outcome_of(error, SENT, final_words=Binance.final_words) is Outcome.AMBIGUOUS


@pytest.mark.parametrize(
    ("dialect", "name", "words", "expected"),
    [
        (Binance, "BadRequest", '{"code":-1013,"msg":"Filter failure: NOTIONAL"}', Outcome.DEFINITIVE),
        (Binance, "InvalidOrder", "order amount should be divisible by LOT_SIZE", Outcome.DEFINITIVE),
        (Binance, "InvalidOrder", '{"code":-2010,"msg":"Duplicate order sent."}', Outcome.AMBIGUOUS),
        (Kraken, "InvalidOrder", '{"error":["EOrder:Order minimum not met"]}', Outcome.DEFINITIVE),
        (Kraken, "ExchangeError", '{"error":["EOrder:Client order id not unique"]}', Outcome.AMBIGUOUS),
        (Kraken, "InvalidNonce", '{"error":["EAPI:Invalid nonce"]}', Outcome.AMBIGUOUS),
        (Kraken, "ExchangeNotAvailable", '{"error":["EService:Busy"]}', Outcome.AMBIGUOUS),
        (Coinbase, "ExchangeError", '{"error":"INVALID_SIZE_PRECISION"}', Outcome.DEFINITIVE),
        (Coinbase, "ExchangeError", '{"error":"UNKNOWN_FAILURE_REASON"}', Outcome.AMBIGUOUS),
        (Coinbase, "ExchangeError", '{"error":"internal_server_error"}', Outcome.AMBIGUOUS),
    ],
)
def test_a_venues_own_words_settle_what_a_class_leaves_open(
    dialect: Any, name: str, words: str, expected: Outcome
) -> None:
    assert outcome_of(getattr(errors, name)(words), SENT, final_words=dialect.final_words) is expected
