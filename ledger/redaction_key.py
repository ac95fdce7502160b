"""The home's own key of pseudonyms: made once, readable by its owner only, never exported."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from ledger.redaction import Redactor
from when_to_invest.errors import ErrorCode, Fault

SIZE: Final = 32
LEAST_SIZE: Final = 16


def redactor_of(path: Path, *, may_make: bool) -> Redactor:
    """Return a redactor with the key at `path`, made there if it may be and is not yet.

    Raises:
        Fault: `key_missing` when there is none, or it is too short to be one.
    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        if not may_make:
            raise _missing(path) from None
        key = _made(path)
    except (OSError, ValueError) as error:
        raise _missing(path) from error
    if len(key) < LEAST_SIZE:
        raise _missing(path)
    return Redactor(key)


def _made(path: Path) -> bytes:
    key = secrets.token_bytes(SIZE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _missing(path) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return key


def _missing(path: Path) -> Fault:
    return Fault(
        ErrorCode.KEY_MISSING,
        f"{path.name} holds no key for pseudonyms",
        fix=f"give a file with at least {2 * LEAST_SIZE} hexadecimal digits",
    )
