"""Takes people out of an event: their names and their words become keyed pseudonyms.

A field is shown only if it is listed as harmless; whatever is new or unknown is covered. The
same name has the same pseudonym under one key, so an auditor can follow a person through
the journal without knowing who it is. Without the key nobody can try out names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Final

from when_to_invest.canonical import plain_canonical_bytes

Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None

_SHOWN: Final = frozenset(
    {
        *("kind", "mode", "at", "decision_id", "account", "venue", "instrument", "side", "step", "state"),
        *("outcome", "judge", "scope", "code", "rule", "unit", "limit", "attempted", "overage", "source"),
        *("client_order_id", "venue_order_id", "trade_id", "message_id", "claimed_decision_id"),
        *("facts_hash", "limits_hash", "body_hash", "intent_hash", "recommendation_id", "snapshot_hash"),
        *("hold_expires_at", "expires_at", "proposed_at", "signed_at", "issued_at", "not_before"),
        *("time_in_force", "latch_id", "home_id", "halts_hash", "status", "answer"),
        *("seal_address", "trading_state", "venue_status", "reference_source"),
    }
)
_FIGURE: Final = re.compile(r"-?\d+(\.\d+)?")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DIGITS: Final = 24
_EMBEDDED: Final = "facts_json"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Pseudonymises with one key of at least 16 bytes."""

    key: bytes

    @property
    def fingerprint(self) -> str:
        """Return what names the key without giving it away."""
        return hashlib.sha256(b"redaction key:" + self.key).hexdigest()[:16]

    def pseudonym(self, text: str) -> str:
        """Return the pseudonym of a name or a text, the same for the same one."""
        return "p-" + hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]

    def redacted(self, value: Plain, *, name: str = "") -> Plain:
        """Return a JSON tree in which every text is shown, a figure, an instant or a pseudonym."""
        match value:
            case dict():
                return {self._key(key): self.redacted(item, name=key) for key, item in value.items()}
            case list():
                return [self.redacted(item, name=name) for item in value]
            case str() if name == _EMBEDDED:
                return self._embedded(value)
            case str():
                return value if not value or _is_harmless(name, value) else self.pseudonym(value)
            case _:
                return value

    def _key(self, key: str) -> str:
        """Return a field's name; what is no field's name is a person's or an address."""
        return key if re.fullmatch(r"[a-z][a-z0-9_]*", key) else self.pseudonym(key)

    def _embedded(self, text: str) -> str:
        try:
            tree = json.loads(text)
        except ValueError:
            return self.pseudonym(text)
        return plain_canonical_bytes(self.redacted(tree)).decode()


def _is_harmless(name: str, value: str) -> bool:
    return name in _SHOWN or _FIGURE.fullmatch(value) is not None or _INSTANT.fullmatch(value) is not None
