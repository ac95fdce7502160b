"""An authorization server for tests: keys that rotate, and tokens good and bad."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example"
ALL_SCOPES = "market:read orders:read orders:propose chain:propose"


@cache
def key_named(name: str) -> RSAPrivateKey:
    """Return an RSA key; the same name is the same key."""
    return rsa_key(public_exponent=65537, key_size=1024 if name == "weak" else 2048)


@cache
def curve_key() -> Any:
    return generate_private_key(SECP256R1())


def public_jwk(name: str, **changes: Any) -> dict[str, Any]:
    """Return a key's public half as a member of a key set."""
    if name == "curve":
        told = ECAlgorithm.to_jwk(curve_key().public_key(), as_dict=True)
    else:
        told = RSAAlgorithm.to_jwk(key_named(name).public_key(), as_dict=True)
    return {**told, "kid": name, "use": "sig"} | changes


def public_pem(name: str) -> bytes:
    return key_named(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class AuthorizationServer:
    """Issues tokens for one resource and publishes its keys in a file."""

    keys_file: Path
    resource: str = ""
    published: list[str] = field(default_factory=list)

    def publish(self, *names: str, extra: tuple[dict[str, Any], ...] = ()) -> None:
        """Replace the key set."""
        keys = [public_jwk(name) for name in names]
        self.keys_file.write_text(json.dumps({"keys": [*keys, *extra]}))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token; a change to None leaves one out."""
        now = int(time.time())
        good = {
            "iss": ISSUER,
            "aud": self.resource,
            "sub": "alice-7",
            "iat": now,
            "exp": now + 600,
            "scope": ALL_SCOPES,
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, *, key: str = "one", kid: str | None = None, alg: str = "RS256", **changes: Any) -> str:
        """Return a signed token."""
        signer = curve_key() if key == "curve" else key_named(key)
        headers = {"kid": kid or key}
        # Signed as bytes, because the library refuses to make some of the claims that attackers do.
        payload = json.dumps(self.claims(**changes)).encode()
        return jwt.PyJWS().encode(payload, signer, algorithm=alg, headers=headers)

    def unsigned(self) -> str:
        return jwt.encode(self.claims(), None, algorithm="none", headers={"kid": "one"})

    def signed_with_the_public_key(self) -> str:
        """Return the classic confusion: HS256 over the key that everybody may read."""
        import base64
        import hashlib
        import hmac

        def packed(told: object) -> bytes:
            return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")

        said = packed({"alg": "HS256", "typ": "JWT", "kid": "one"}) + b"." + packed(self.claims())
        mac = hmac.new(public_pem("one"), said, hashlib.sha256).digest()
        return (said + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
