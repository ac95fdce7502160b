"""Who asks Coinbase: an older key that signs by HMAC, or a cloud key (EC, Ed25519) that signs a token. Pure.

The local venue has a key's secret half too, and takes the public one from it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.exchange.venues import Credentials

LONGEST_AGE_S = 30
LONGEST_TOKEN_S = 120
SEED_BYTES = 32
BEARER = "Bearer "


class UnsignedError(Exception):
    """A request that does not prove who asks."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What of a request is signed: an older key signs `path` and `body`, a token names `place`."""

    method: str
    path: str
    body: str
    place: str


@dataclass(frozen=True, slots=True)
class _Kind:
    algorithm: str
    issuer: str
    audience: str
    public: Any


def demand_signed(sent: Sent, headers: Mapping[str, str], keys: Credentials, *, now_ms: int) -> None:
    """Return when a request over HTTP is signed by these keys just now, or raise UnsignedError."""
    kind = _cloud(keys)
    if kind is not None:
        token = headers.get("Authorization", "").removeprefix(BEARER)
        claims = _claims(token, kind, keys, now_ms=now_ms)
        named = claims.get("uri") or next(iter(claims.get("uris", [])), "")
        if named.replace("http://", "") != f"{sent.method} {sent.place}":
            raise UnsignedError("the token is for another address")
        return
    stamp = headers.get("CB-ACCESS-TIMESTAMP", "0")
    signed = stamp + sent.method + sent.path + sent.body
    _demand_hmac(signed, headers.get("CB-ACCESS-SIGN", ""), headers.get("CB-ACCESS-KEY"), keys)
    if abs(int(stamp) - now_ms / 1000) > LONGEST_AGE_S:
        raise UnsignedError("request timestamp expired")


def demand_subscriber(asked: Mapping[str, Any], keys: Credentials, *, now_ms: int) -> None:
    """Return when a message on a socket is signed by these keys, or raise UnsignedError."""
    kind = _cloud(keys)
    if kind is not None:
        _claims(asked.get("jwt", ""), kind, keys, now_ms=now_ms)
        return
    signed = asked.get("timestamp", "") + asked["channel"] + ",".join(asked.get("product_ids", []))
    _demand_hmac(signed, asked.get("signature", ""), asked.get("api_key"), keys)


def _demand_hmac(signed: str, signature: str, key: str | None, keys: Credentials) -> None:
    expected = hmac.new(keys.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if key != keys.key or not hmac.compare_digest(expected, signature):
        raise UnsignedError("invalid signature")


def _cloud(keys: Credentials) -> _Kind | None:
    """Return how a cloud key's tokens are made; None for an older key."""
    if keys.secret.startswith("-----BEGIN"):
        public: Any = load_pem_private_key(keys.secret.encode(), None).public_key()
        return _Kind("ES256", "coinbase-cloud", "retail_rest_api_proxy", public)
    if keys.secret.endswith("="):
        seed = base64.b64decode(keys.secret)[:SEED_BYTES]
        return _Kind("EdDSA", "cdp", "cdp_service", Ed25519PrivateKey.from_private_bytes(seed).public_key())
    return None


def _claims(token: str, kind: _Kind, keys: Credentials, *, now_ms: int) -> dict[str, Any]:
    """Return what a token says, judged at the venue's own time."""
    untimed = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        if jwt.get_unverified_header(token).get("kid") != keys.key:
            raise UnsignedError("the token is of an unknown key")
        claims: dict[str, Any] = jwt.decode(
            token,
            kind.public,
            algorithms=[kind.algorithm],
            audience=kind.audience,
            issuer=kind.issuer,
            options={**untimed, "require": ["exp", "nbf", "sub"]},
        )
    except jwt.InvalidTokenError:
        raise UnsignedError("invalid token") from None
    is_short = claims["exp"] - claims["nbf"] <= LONGEST_TOKEN_S
    if claims["sub"] != keys.key or not is_short or not claims["nbf"] - 1 <= now_ms / 1000 < claims["exp"]:
        raise UnsignedError("the token has expired, or is not yet valid")
    return claims
