"""Tables of exchanges are read strictly: no key goes where a file alone says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from home.settings import Settings
from home.venues import VenueSettings

KRAKEN = {"exchange": "kraken", "symbols": {"BTC-USD": "BTC/USD"}}


def test_an_exchange_is_its_sandbox_unless_said_otherwise() -> None:
    settings = Settings.model_validate({"venues": {"kraken": KRAKEN}})
    assert settings.venues["kraken"].sandbox
    assert settings.venues["kraken"].dollars == ("USD",)
    assert settings.venue == "paper"


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint_url": "https://example.com"},
        {"endpoint_url": "http://127.0.0.1.example.com:1"},
        {"endpoint_url": "http://127.0.0.1:1", "sandbox": False},
        {"symbols": {}},
        {"symbols": {"BTC-USD": "btc/usd"}},
        {"symbols": {"BTC-USD": "BTC/USD", "XBT": "BTC/USD"}},
        {"exchange": "../kraken"},
        {"timeout_s": 0},
        {"orders_per_s": 0},
        {"secret": "s3cret"},
        {"api_key": "k"},
    ],
    ids=str,
)
def test_what_is_no_table_of_an_exchange_is_refused(changes: dict[str, Any]) -> None:
    VenueSettings.model_validate(KRAKEN)
    with pytest.raises(ValidationError):
        VenueSettings.model_validate({**KRAKEN, **changes})


def test_no_exchange_is_called_paper() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"venues": {"paper": KRAKEN}})
