"""One byte form for every value that is hashed, signed, journalled or queued.

Keys sorted, no white space, UTF-8, NaN refused. Decimals travel as plain strings and
datetimes as UTC with a `Z`, so that two processes never disagree about a hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Final

from when_to_invest.money import decimal_text

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def utc_text(instant: datetime) -> str:
    """Return `instant` as ISO 8601 in UTC with a `Z`.

    Raises:
        ValueError: `instant` carries no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("a datetime without a time zone names no instant")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    """Turn `value` into what `json` writes, refusing what has no single form."""
    match value:
        case Enum():
            plain = value.value
        case None | bool() | int() | float() | str():
            plain = value
        case Decimal():
            plain = decimal_text(value)
        case datetime():
            plain = utc_text(value)
        case Mapping():
            plain = {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            plain = [_plain(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
    return plain


def canonical_bytes(value: object) -> bytes:
    """Return the one byte form of a tree of mappings, sequences and scalars.

    Raises:
        ValueError: a float is NaN or infinite, or a datetime has no time zone.
        TypeError: a value of another type.
    """
    return plain_canonical_bytes(_plain(value))


def plain_canonical_bytes(plain: object) -> bytes:
    """Return the one byte form of what already consists of JSON's own types.

    Raises:
        ValueError: a float is NaN or infinite.
    """
    return _ENCODER.encode(plain).encode()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical form as 64 lower-case hex digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
