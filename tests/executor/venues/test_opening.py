"""A home trades at one venue: its own books, or an exchange in the mode that its table says."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest

from executor.offload import InPlace
from executor.venues.ccxt.credentials import credentials_of
from executor.venues.opening import open_venue
from executor.venues.port import VenueProfile
from home.clock import WallClock
from home.paths import Home
from home.settings import Settings
from tests.fakes.fake_market import FakeMarket
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

KRAKEN = {
    "exchange": "kraken",
    "symbols": {"BTC-USD": "BTC/USD"},
    "endpoint_url": "http://127.0.0.1:1",
}
KEYS = {"WHEN_TO_INVEST_VENUE_KRAKEN_KEY": "key-text", "WHEN_TO_INVEST_VENUE_KRAKEN_SECRET": "c2VjcmV0"}


def opened(path: Path, environment: dict[str, str] | None = None, **settings: Any) -> VenueProfile:
    async def work() -> VenueProfile:
        venue = open_venue(
            Home(path),
            Settings.model_validate(settings),
            prices=FakeMarket(),
            clock=WallClock(),
            offload=InPlace(),
            environment=KEYS if environment is None else environment,
        )
        await venue.close()
        return venue.profile

    return asyncio.run(work())


def refused(code: ErrorCode) -> Any:
    return pytest.raises(Fault, check=lambda fault: fault.code is code)


def test_the_default_is_the_homes_own_books(tmp_path: Path) -> None:
    assert opened(tmp_path).name == "paper"


def test_an_exchange_is_opened_by_its_table(tmp_path: Path) -> None:
    profile = opened(tmp_path, mode="paper", venue="kraken", venues={"kraken": KRAKEN})
    assert (profile.name, profile.mode, profile.absence_is_authoritative) == ("kraken", Mode.PAPER, False)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"mode": "paper", "venue": "nowhere"}, ErrorCode.BAD_CONFIG),
        ({"mode": "replay", "venue": "kraken"}, ErrorCode.MODE_MISMATCH),
        ({"mode": "live", "venue": "kraken"}, ErrorCode.MODE_MISMATCH),
        ({"mode": "live", "venue": "paper"}, ErrorCode.MODE_MISMATCH),
    ],
)
def test_a_venue_of_another_mode_or_none_is_refused(
    tmp_path: Path, settings: dict[str, str], code: ErrorCode
) -> None:
    with refused(code):
        opened(tmp_path, venues={"kraken": KRAKEN}, **settings)


def test_a_sandbox_is_no_venue_for_live_trading_nor_the_other_way_round(tmp_path: Path) -> None:
    live = {**KRAKEN, "sandbox": False, "endpoint_url": None}
    with refused(ErrorCode.MODE_MISMATCH):
        opened(tmp_path, mode="paper", venue="kraken", venues={"kraken": live})


@pytest.mark.parametrize(
    "changes",
    [{"exchange": "no_such_exchange"}, {"endpoint_url": None}],
    ids=["unknown exchange", "exchange without a sandbox"],
)
def test_what_ccxt_cannot_serve_is_bad_configuration(tmp_path: Path, changes: dict[str, Any]) -> None:
    with refused(ErrorCode.BAD_CONFIG):
        opened(tmp_path, mode="paper", venue="kraken", venues={"kraken": {**KRAKEN, **changes}})


def test_a_missing_key_is_named_and_a_present_one_shown_nowhere(tmp_path: Path) -> None:
    with refused(ErrorCode.KEY_MISSING) as raised:
        opened(
            tmp_path,
            {**KEYS, "WHEN_TO_INVEST_VENUE_KRAKEN_SECRET": ""},
            mode="paper",
            venue="kraken",
            venues={"kraken": KRAKEN},
        )
    assert "WHEN_TO_INVEST_VENUE_KRAKEN_SECRET" in raised.value.message
    assert "key-text" not in f"{raised.value.message} {raised.value.fix}"
    keys = credentials_of("kraken", KEYS)
    assert "key-text" not in repr(keys)
    with pytest.raises(TypeError):
        pickle.dumps(keys)
