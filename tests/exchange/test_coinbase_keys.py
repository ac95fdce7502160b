"""Coinbase's cloud keys: unmodified ccxt signs tokens with them, and nothing else opens the venue."""

from __future__ import annotations

import base64
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.exchange.coinbase_keys import Sent, UnsignedError, demand_signed
from tests.exchange.meeting import meeting, on_a_loop, refused, watched
from tests.exchange.terms import Side
from tests.exchange.unmodified import client
from tests.exchange.venues import TRADER, Credentials, offer

PAIR = "BTC/USD"
NAME = "organizations/o-1/apiKeys/k-1"
NOW_S = 1_700_000_000
SENT = Sent("GET", "/api/v3/brokerage/accounts", "", "localhost/api/v3/brokerage/accounts")


def elliptic(number: int) -> Credentials:
    """Return a key on P-256."""
    key = derive_private_key(number, SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Credentials(NAME, pem.decode())


def edwards(number: int) -> Credentials:
    """Return an Ed25519 key: its seed and its public half, in base64."""
    seed = number.to_bytes(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return Credentials("k-1", base64.b64encode(seed + public).decode())


KINDS = {"P-256": elliptic, "Ed25519": edwards}


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_with_a_cloud_key_trades_and_one_with_another_does_not(kind: str) -> None:
    @on_a_loop
    async def test() -> None:
        async with meeting("coinbase", credentials=KINDS[kind](7)) as (local, venue):
            placed = await venue.create_order(PAIR, "limit", "buy", 0.5, 99)
            assert (await venue.fetch_order(placed["id"], PAIR))["status"] == "open"
            for stranger in (KINDS[kind](8), Credentials()):
                other = client(local, credentials=stranger)
                try:
                    with refused("AuthenticationError"):
                        await other.create_order(PAIR, "limit", "buy", 0.5, 98)
                finally:
                    await other.close()
            assert len(local.exchange.open_orders(TRADER)) == 1

    test()


@on_a_loop
async def test_a_token_from_another_time_is_refused() -> None:
    async with meeting("coinbase", credentials=elliptic(7)) as (local, venue):
        for skew_ms in (-60_000, 180_000):
            local.mishaps.skew_ms = skew_ms
            with refused("AuthenticationError", "expired"):
                await venue.fetch_balance()


@on_a_loop
async def test_own_orders_are_watched_with_a_token() -> None:
    async with meeting("coinbase", credentials=elliptic(7)) as (local, venue):
        await venue.create_order(PAIR, "limit", "buy", 0.5, 99, {"client_order_id": "one"})
        crowd = lambda: offer(local.exchange, PAIR, Side.SELL, price="99", quantity="5")  # noqa: E731
        seen = await watched(local, "user", venue.watch_orders(PAIR), crowd)
        while seen[-1]["status"] != "closed":
            seen = await venue.watch_orders(PAIR)
        assert seen[-1]["clientOrderId"] == "one"


def token(keys: Credentials, *, kid: str = NAME, **changes: Any) -> str:
    claims: dict[str, Any] = {
        "aud": ["retail_rest_api_proxy"],
        "iss": "coinbase-cloud",
        "sub": keys.key,
        "nbf": NOW_S,
        "exp": NOW_S + 120,
        "uri": f"{SENT.method} {SENT.place}",
    }
    return jwt.encode(claims | changes, keys.secret, algorithm="ES256", headers={"kid": kid})


def demand(text: str) -> None:
    demand_signed(SENT, {"Authorization": f"Bearer {text}"}, elliptic(7), now_ms=NOW_S * 1_000)


def test_a_right_token_opens() -> None:
    demand(token(elliptic(7)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"uri": "POST localhost/api/v3/brokerage/accounts"},
        {"uri": "GET localhost/api/v3/brokerage/orders"},
        {"aud": ["cdp_service"]},
        {"iss": "cdp"},
        {"sub": "somebody"},
        {"kid": "somebody"},
        {"exp": NOW_S},
        {"nbf": NOW_S + 60},
        {"exp": NOW_S + 3_600},
    ],
)
def test_a_token_that_says_anything_else_does_not(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnsignedError):
        demand(token(elliptic(7), **wrong))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", jwt.encode({"sub": NAME}, "", algorithm="none")])
def test_no_token_and_an_unsigned_one_do_not(text: str) -> None:
    with pytest.raises(UnsignedError):
        demand(text)


def test_a_token_of_another_key_does_not() -> None:
    with pytest.raises(UnsignedError):
        demand(token(elliptic(8)))
