"""The authorization server's public keys: found by id, read again when they rotate.

Asymmetric keys only, so that nobody signs with what everybody may read. A key that its
issuer took away stops counting within minutes; when the keys cannot be read again, nobody
is let in. It must never follow an address that a token names.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from home.clock import Clock
from when_to_invest.errors import ErrorCode, Fault

COOL_DOWN: Final = timedelta(seconds=30)
"""Unknown key ids, which anybody can send, make the keys be read again at most this often."""
OLDEST: Final = timedelta(seconds=300)
_LARGEST_BYTES: Final = 256 * 1024
_TIMEOUT_S: Final = 5.0
_ASYMMETRIC: Final = frozenset({"RSA", "EC", "OKP"})

Jwk = Mapping[str, Any]
Read = Callable[[], bytes]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the configured address or not at all."""

    def redirect_request(self, *told: Any, **named: Any) -> None:
        """Follow nothing."""
        del told, named


def from_address(url: str) -> Read:
    """Return a reader of the key set at `url`, at most 256 KiB and five seconds."""
    opener = urllib.request.build_opener(_NoRedirect)

    def read() -> bytes:
        with opener.open(url, timeout=_TIMEOUT_S) as answer:
            body: bytes = answer.read(_LARGEST_BYTES + 1)
        return body

    return read


def from_file(path: Path) -> Read:
    """Return a reader of the key set in a file, which a person may replace at any time."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(_LARGEST_BYTES + 1)

    return read


@dataclass(slots=True)
class IssuerKeys:
    """Public keys by id; safe to use from several threads."""

    read: Read
    clock: Clock
    _keys: Mapping[str, Jwk] = field(default_factory=dict)
    _read_at: datetime | None = None
    _tried_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key_id: str) -> Jwk | None:
        """Return the key with this id, or none when its issuer has none such.

        Raises:
            Fault: `service_unavailable` when the keys are old and cannot be read again.
        """
        with self._lock:
            now = self.clock.now()
            is_old = self._read_at is None or not timedelta() <= now - self._read_at <= OLDEST
            if is_old or key_id not in self._keys:
                self._read_again(now, is_needed=is_old)
            return self._keys.get(key_id)

    def _read_again(self, now: datetime, *, is_needed: bool) -> None:
        is_soon = self._tried_at is not None and timedelta() <= now - self._tried_at < COOL_DOWN
        if not is_soon:
            self._tried_at = now
            try:
                self._keys = parsed_keys(self.read())
            except (OSError, ValueError):
                pass
            else:
                self._read_at = now
                return
        if is_needed:
            self._keys = {}
            raise Fault(
                ErrorCode.SERVICE_UNAVAILABLE,
                "the keys of the authorization server cannot be read",
                fix="check jwks_file or jwks_url under [oauth], then try again in half a minute",
            )


def parsed_keys(body: bytes) -> dict[str, Jwk]:
    """Return the usable signing keys of a key set by id.

    Raises:
        ValueError: it is no key set, too large, or holds two keys of one id.
    """
    if len(body) > _LARGEST_BYTES:
        raise ValueError("the key set is too large")
    told = json.loads(body)
    listed = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no key set")  # noqa: TRY004 - of the file's content, not of a type
    keys: dict[str, Jwk] = {}
    for key in listed:
        if not is_public_signing_key(key):
            continue
        if key["kid"] in keys:
            raise ValueError("two keys have one id")
        keys[key["kid"]] = key
    return keys


def is_public_signing_key(key: object) -> bool:
    """Return whether a member of a key set is an asymmetric public key for signatures."""
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") in _ASYMMETRIC
        and key.get("use", "sig") == "sig"
        and "d" not in key
    )
