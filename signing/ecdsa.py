"""From what a key service answers to the one accepted spelling of a signature, or a refusal.

Stage: sealing and approving, behind the remote signers. A service answers with a bare pair
(r, s) and a public key in somebody's encoding; both are parsed strictly, s is brought into
the lower half, and the recovery id is found by recovering. Nothing that does not recover to
the expected address leaves this module.
"""

from __future__ import annotations

import contextlib
from typing import Final

from signing.eip712 import CURVE_ORDER, bad_signature, check_digest, recover_address
from when_to_invest.errors import ErrorCode, Fault

_FIELD_PRIME: Final = 2**256 - 2**32 - 977
"""Prime p of secp256k1 (SEC 2, section 2.4.1)."""
_CURVE_B: Final = 7
_POINT_BYTES: Final = 65
_UNCOMPRESSED: Final = 0x04
_SPKI_PREFIX: Final = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
"""DER of SubjectPublicKeyInfo up to the point: id-ecPublicKey, secp256k1 (RFC 5480)."""
_OCTET_STRING: Final = bytes([0x04, _POINT_BYTES])
SECP256K1_OID: Final = bytes.fromhex("06052b8104000a")
"""DER of the curve's object identifier 1.3.132.0.10."""
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_SCALAR_BYTES: Final = 32


def unusable_key(why: str) -> Fault:
    """Return the fault of a key that exists and must not be used, for the reason `why`."""
    return Fault(
        ErrorCode.BAD_CONFIG,
        f"the signing key cannot be used: {why}",
        fix="create a secp256k1 key for signing only, and name it in [signing] seal",
    )


def address_of_spki(der: bytes) -> str:
    """Return the checksummed address of a DER SubjectPublicKeyInfo with a secp256k1 point.

    Raises:
        Fault: `bad_config` for any other key or encoding.
    """
    if not der.startswith(_SPKI_PREFIX):
        raise unusable_key("its public key is not an uncompressed secp256k1 point")
    return address_of_point(der[len(_SPKI_PREFIX) :])


def address_of_ec_point(encoded: bytes) -> str:
    """Return the address of a PKCS#11 `CKA_EC_POINT`: a DER octet string, or the bare point.

    Raises:
        Fault: `bad_config` for anything else.
    """
    is_wrapped = len(encoded) == _POINT_BYTES + len(_OCTET_STRING) and encoded.startswith(_OCTET_STRING)
    return address_of_point(encoded[len(_OCTET_STRING) :] if is_wrapped else encoded)


def address_of_point(point: bytes) -> str:
    """Return the address of an uncompressed point: the end of keccak256(x ‖ y).

    Raises:
        Fault: `bad_config` when it is none, or not on the curve.
    """
    from eth_utils.address import to_checksum_address
    from eth_utils.crypto import keccak

    if len(point) != _POINT_BYTES or point[0] != _UNCOMPRESSED:
        raise unusable_key("its public key is not an uncompressed point of 65 bytes")
    x, y = int.from_bytes(point[1:33]), int.from_bytes(point[33:])
    if max(x, y) >= _FIELD_PRIME or (y * y - x**3 - _CURVE_B) % _FIELD_PRIME:
        raise unusable_key("its public key does not lie on secp256k1")
    return str(to_checksum_address(keccak(point[1:])[-20:]))


def spell_der(der: bytes, *, digest: bytes, address: str) -> str:
    """Return the accepted spelling of a DER signature (RFC 3279) by the key of `address`.

    Raises:
        Fault: `bad_signature` when it is malformed or was not made by that key over `digest`.
    """
    r, rest = _integer(_content_of(der, tag=_SEQUENCE, is_whole=True))
    s, rest = _integer(rest)
    if rest:
        raise bad_signature("bytes follow it")
    return spell(r, s, digest=digest, address=address)


def spell_raw(raw: bytes, *, digest: bytes, address: str) -> str:
    """Return the accepted spelling of r ‖ s in 64 bytes (PKCS#11 `CKM_ECDSA`).

    Raises:
        Fault: as `spell_der` does.
    """
    if len(raw) != 2 * _SCALAR_BYTES:
        raise bad_signature("it is not 64 bytes long")
    r, s = int.from_bytes(raw[:_SCALAR_BYTES]), int.from_bytes(raw[_SCALAR_BYTES:])
    return spell(r, s, digest=digest, address=address)


def spell(r: int, s: int, *, digest: bytes, address: str) -> str:
    """Return `0x` r ‖ s ‖ v with s in the lower half, v found by recovering to `address`.

    Raises:
        Fault: `bad_signature` when neither recovery id gives that address.
    """
    check_digest(digest)
    if not 0 < r < CURVE_ORDER or not 0 < s < CURVE_ORDER:
        raise bad_signature("r or s lies outside the curve order")
    low_s = min(s, CURVE_ORDER - s)
    head = "0x" + (r.to_bytes(_SCALAR_BYTES) + low_s.to_bytes(_SCALAR_BYTES)).hex()
    for v in ("1b", "1c"):
        # One of the two ids may name no point at all; the other may still be right.
        with contextlib.suppress(Fault):
            if recover_address(digest, head + v) == address:
                return head + v
    raise bad_signature("it does not recover to the key that should have made it")


def _content_of(der: bytes, *, tag: int, is_whole: bool = False) -> bytes:
    """Return a short-form DER value's content; with `is_whole`, nothing may follow it."""
    if len(der) < 2 or der[0] != tag or der[1] > 0x7F or len(der) < 2 + der[1]:  # noqa: PLR2004 - short form
        raise bad_signature("it is not DER")
    if is_whole and len(der) != 2 + der[1]:
        raise bad_signature("bytes follow it")
    return der[2 : 2 + der[1]]


def _integer(der: bytes) -> tuple[int, bytes]:
    """Return a minimal, positive DER integer and what follows it."""
    content = _content_of(der, tag=_INTEGER)
    is_minimal = content[:1] != b"\x00" or (len(content) > 1 and content[1] > 0x7F)  # noqa: PLR2004 - sign bit
    if not content or content[0] > 0x7F or not is_minimal:  # noqa: PLR2004 - sign bit
        raise bad_signature("a number in it is not a positive DER integer")
    return int.from_bytes(content), der[2 + len(content) :]
