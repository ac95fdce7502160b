"""Documents for wallets on other machines, and the signatures that come back.

What leaves is exactly what `eth_signTypedData_v4` takes. What comes back is checked against
what this home would show now, so that a changed document is told apart from a wrong key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.domains import SigningDomain

_LARGEST_BYTES: Final = 65_536
_SIGNATURE_DIGITS: Final = 130
_PARTS: Final = {"types", "primaryType", "domain", "message"}


@dataclass(frozen=True, slots=True)
class Returned:
    """A document and the signature that a wallet made of it."""

    typed_data: dict[str, Any]
    signature: str


def read_returned(path: Path, *, signature: str | None) -> Returned:
    """Return a wallet's answer: the exported file, with the signature in it or given beside it.

    Raises:
        Fault: `bad_argument` when the file is no such document, or there is no signature.
    """
    try:
        content = path.read_bytes()[: _LARGEST_BYTES + 1]
        told = json.loads(content)
    except (OSError, ValueError) as error:
        raise _no_document(path) from error
    typed = told.get("typed_data", told) if isinstance(told, dict) else None
    if not isinstance(typed, dict) or not set(typed) >= _PARTS or len(content) > _LARGEST_BYTES:
        raise _no_document(path)
    given = signature or told.get("signature")
    if not isinstance(given, str):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the signature is missing",
            fix="give --signature 0x…",
        )
    return Returned({name: typed[name] for name in _PARTS}, respelled(given))


def respelled(signature: str) -> str:
    """Return a wallet's signature in the one accepted spelling; only letters and v may change.

    Raises:
        Fault: `bad_signature` when it is not r, s and v in hex. A high s is left as it is, for
            the check that refuses it.
    """
    digits = signature.strip().lower().removeprefix("0x")
    if len(digits) != _SIGNATURE_DIGITS or set(digits) - set("0123456789abcdef"):
        raise Fault(
            ErrorCode.BAD_SIGNATURE,
            "the signature is not 0x and 130 hex digits",
            fix="copy the whole signature from the wallet",
        )
    v = {"00": "1b", "01": "1c"}.get(digits[-2:], digits[-2:])
    return f"0x{digits[:-2]}{v}"


def check_shown(returned: Returned, shown: dict[str, Any], domain: SigningDomain) -> None:
    """Return when a wallet signed exactly the document `shown`.

    Raises:
        Fault: `bad_approval` naming the wrong chain id, another home, or the changed part.
    """
    signed = returned.typed_data["domain"]
    chain_id = signed.get("chainId") if isinstance(signed, dict) else None
    if chain_id not in {domain.chain_id, str(domain.chain_id)}:
        raise _changed(f"it was signed for chain id {chain_id}, and this home uses {domain.chain_id}")
    if str(signed.get("salt", "")).removeprefix("0x") != domain.home_id:
        raise _changed("it was signed for another home")
    for part in ("primaryType", "types", "message"):
        if returned.typed_data[part] != shown[part]:
            where = _first_change(returned.typed_data[part], shown[part])
            raise _changed(f"its {part} is not what this home shows now{where}")


def _first_change(signed: object, shown: object) -> str:
    """Return where a part differs first, in the order in which people see its fields."""
    if not isinstance(signed, dict) or not isinstance(shown, dict):
        return ""
    changed = [name for name in shown if signed.get(name) != shown[name]]
    return f" (look at {changed[0]})" if changed else ""


def instant_of(readable: object) -> datetime:
    """Return the instant that `approvals.readable` wrote.

    Raises:
        Fault: `bad_argument` when it wrote something else.
    """
    text = str(readable)
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC)
    except ValueError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, "the document names no expiry", fix="export it again and sign that"
        ) from error


def _changed(why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"the signed document does not count: {why}",
        fix="export the document again with `when-to-invest approvals export` and sign that",
    )


def _no_document(path: Path) -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        f"{path.name} is no document to sign",
        fix="give the file that `when-to-invest approvals export` wrote",
    )
