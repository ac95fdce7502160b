"""EIP-712 digests and the addresses that signed them. Stage: sealing, approving, verifying.

One signature has one accepted spelling: lower-case hex, low s (EIP-2), v 27 or 28. This
module holds no key and must never accept a second spelling of a signature.
"""

from __future__ import annotations

import re
from typing import Any, Final

from signing.flat_documents import flat_digest, keccak256
from when_to_invest.errors import ErrorCode, Fault

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order n of secp256k1 (SEC 2, section 2.4.1)."""
HALF_ORDER: Final = CURVE_ORDER // 2
DIGEST_BYTES: Final = 32
_SPELLING: Final = re.compile(r"0x[0-9a-f]{130}")
_V_OFFSET: Final = 27
_LARGEST_LOWER: Final = 7
"""An address's letter is a capital where the hash's digit is greater (EIP-55)."""


def bad_signature(why: str) -> Fault:
    """Return the fault of a signature that proves nothing, for the reason `why`."""
    return Fault(
        ErrorCode.BAD_SIGNATURE, f"the signature is not valid: {why}", fix="sign the exact document again"
    )


def typed_digest(typed: dict[str, Any]) -> bytes:
    """Return the 32 bytes that are signed for an EIP-712 document.

    Computed as keccak256(0x19 ‖ 0x01 ‖ domain separator ‖ struct hash), EIP-712.

    Raises:
        Fault: `bad_argument` when `typed` is no complete EIP-712 document.
    """
    _check_complete(typed)
    flat = flat_digest(typed)
    return _digest_by_library(typed) if flat is None else flat


def _digest_by_library(typed: dict[str, Any]) -> bytes:
    from eth_abi.exceptions import EncodingError
    from eth_account.messages import encode_typed_data
    from eth_utils.crypto import keccak
    from eth_utils.exceptions import ValidationError

    unusable = (ValueError, TypeError, LookupError, AttributeError, EncodingError, ValidationError)
    try:
        signable = encode_typed_data(full_message=typed)
    except unusable as error:
        raise _not_a_document(type(error).__name__) from error
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def _check_complete(typed: object) -> None:
    """Refuse what the library would hash as zero: absent fields, and text that is none."""
    if not isinstance(typed, dict) or not {"types", "primaryType", "domain", "message"} <= set(typed):
        raise _not_a_document("a part is missing")
    types = typed["types"]
    if not isinstance(types, dict):
        raise _not_a_document("its types are no mapping")
    _check_struct(types, "EIP712Domain", typed["domain"])
    _check_struct(types, typed["primaryType"], typed["message"])


def _check_struct(types: dict[str, Any], name: object, value: object) -> None:
    fields = types.get(name) if isinstance(name, str) else None
    if not isinstance(fields, list) or not isinstance(value, dict):
        raise _not_a_document(f"{name} is no structure")
    kinds = {field.get("name"): field.get("type") for field in fields if isinstance(field, dict)}
    if set(kinds) != set(value) or len(kinds) != len(fields):
        raise _not_a_document(f"the fields of {name} are not those of its type")
    for field, kind in kinds.items():
        if kind in types:
            _check_struct(types, kind, value[field])
        elif kind == "string" and not isinstance(value[field], str):
            raise _not_a_document(f"{name}.{field} is no text")


def _not_a_document(why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        f"this is no EIP-712 document: {why}",
        fix="give types, primaryType, domain and a message with exactly the fields of its type",
    )


def check_digest(digest: object) -> bytes:
    """Return `digest` when it can be signed: exactly 32 bytes.

    Raises:
        Fault: `bad_argument` otherwise.
    """
    if not isinstance(digest, bytes) or len(digest) != DIGEST_BYTES:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "only 32-byte digests are signed or recovered",
            fix="pass the result of typed_digest",
        )
    return digest


def recover_address(digest: bytes, signature: str) -> str:
    """Return the checksummed address whose key signed `digest`.

    Raises:
        Fault: as `recover_point`.
    """
    return address_of_key(recover_point(digest, signature))


def recover_point(digest: bytes, signature: str) -> bytes:
    """Return the uncompressed public key, 65 bytes, whose owner signed `digest`.

    Raises:
        Fault: `bad_signature` when the text is not the one accepted spelling, s lies in the
            upper half of the curve order, or no key can have signed this.
    """
    from coincurve import PublicKey

    check_digest(digest)
    if not _is_spelled(signature):
        raise bad_signature("it is not 0x and 130 lower-case hex digits")
    raw = bytes.fromhex(signature[2:])
    r, s, v = int.from_bytes(raw[:32]), int.from_bytes(raw[32:64]), raw[64] - _V_OFFSET
    if not 0 < r < CURVE_ORDER or not 0 < s <= HALF_ORDER:
        raise bad_signature("r or s lies outside the accepted half of the curve order")
    if v not in {0, 1}:
        raise bad_signature("v is neither 27 nor 28")
    try:
        key = PublicKey.from_signature_and_message(raw[:64] + bytes([v]), digest, hasher=None)
    except ValueError as error:
        raise bad_signature("no key can have made it") from error
    point: bytes = key.format(compressed=False)
    return point


def address_of_key(point: bytes) -> str:
    """Return the checksummed address of an uncompressed public key of 65 bytes (EIP-55)."""
    plain = keccak256(point[1:])[-20:].hex()
    marks = keccak256(plain.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) > _LARGEST_LOWER else digit
        for digit, mark in zip(plain, marks, strict=False)
    )


def _is_spelled(signature: object) -> bool:
    return isinstance(signature, str) and _SPELLING.fullmatch(signature) is not None
