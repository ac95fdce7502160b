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
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError

from home.clock import Clock
from tool_servers.doors import is_nested_too_deep
from when_to_invest.errors import ErrorCode, Fault

COOL_DOWN: Final = timedelta(seconds=30)
"""Unknown key ids, which anybody can send, make the keys be read again at most this often."""
OLDEST: Final = timedelta(seconds=300)
_LARGEST_BYTES: Final = 256 * 1024
LONGEST_S: Final = 4.0
_DEEPEST: Final = 16
"""Levels of nesting in a key set; parsers in C can be brought down by thousands."""
_ASYMMETRIC: Final = frozenset({"RSA", "EC", "OKP"})

Jwk = Mapping[str, Any]
Read = Callable[[], bytes]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the configured address or not at all."""

    def redirect_request(self, *told: Any, **named: Any) -> None:
        """Follow nothing."""
        del told, named


def from_address(url: str, *, longest_s: float = LONGEST_S) -> Read:
    """Return a reader of the key set at `url`, at most 256 KiB, and `longest_s` in all.

    The socket's own timeout bounds each step only, and an issuer may take many small ones.
    """
    opener = urllib.request.build_opener(_NoRedirect)

    def fetch() -> bytes:
        try:
            with opener.open(url, timeout=longest_s) as answer:
                if answer.status == HTTPStatus.OK:
                    body: bytes = answer.read(_LARGEST_BYTES + 1)
                    return body
        except HTTPError as refusal:
            refusal.close()
        except HTTPException as error:
            raise OSError("the issuer does not speak HTTP") from error
        raise OSError("the issuer answered without a key set")

    return _OneAtATime(fetch, longest_s).read


@dataclass(slots=True)
class _OneAtATime:
    """Reads in a thread of its own, and gives up when that takes too long or still goes on."""

    fetch: Read
    longest_s: float
    _reading: threading.Thread | None = None

    def read(self) -> bytes:
        if self._reading is not None and self._reading.is_alive():
            raise OSError("the issuer still owes an earlier answer")
        told: list[bytes | Exception] = []
        self._reading = threading.Thread(target=self._fetch, args=(told,), name="issuer-keys", daemon=True)
        self._reading.start()
        self._reading.join(self.longest_s)
        if not told:
            raise OSError("the issuer did not answer in time")
        if isinstance(told[0], Exception):
            raise told[0]
        return told[0]

    def _fetch(self, told: list[bytes | Exception]) -> None:
        try:
            told.append(self.fetch())
        except (OSError, ValueError) as error:
            told.append(error)


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
    """Held by whoever reads the keys again; the others need it only when they need new keys."""

    def find(self, key_id: str) -> Jwk | None:
        """Return the key with this id, or none when its issuer has none such.

        Raises:
            Fault: `service_unavailable` when the keys are old and cannot be read again.
        """
        known = self._known(key_id)
        if known is not None:
            return known
        with self._lock:
            # Somebody else may have read them while this thread waited for the lock.
            known = self._known(key_id)
            if known is None:
                self._read_again(is_needed=self._is_old(self.clock.now()))
                known = self._keys.get(key_id)
            return known

    def _known(self, key_id: str) -> Jwk | None:
        return None if self._is_old(self.clock.now()) else self._keys.get(key_id)

    def _is_old(self, now: datetime) -> bool:
        read_at = self._read_at
        return read_at is None or not timedelta() <= now - read_at <= OLDEST

    def _read_again(self, *, is_needed: bool) -> None:
        now = self.clock.now()
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
    if is_nested_too_deep(body, deepest=_DEEPEST):
        raise ValueError("the key set is nested too deep")
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
