"""Encrypted keystores (Web3 Secret Storage, version 3): create, unlock, read the address.

Stage: sealing and approving. A keystore file is made once, readable by its owner only, and
never overwritten. The private key never leaves a `KeystoreSigner`: it is not printed,
pickled, logged or returned. Anything odd about a file refuses.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

from signing.eip712 import (
    CURVE_ORDER,
    HALF_ORDER,
    address_of_key,
    bad_signature,
    check_digest,
    recover_point,
)
from when_to_invest.errors import ErrorCode, Fault

STANDARD_WORK_FACTOR: Final = 2**18
"""Scrypt cost N: about a second and 256 MiB a guess. A lighter one is always explicit."""
LIGHTEST_WORK_FACTOR: Final = 2**10
_HEAVIEST_WORK_FACTOR: Final = 2**20
_VERSION: Final = 3
_LARGEST_FILE_BYTES: Final = 16_384
_OWNER_ONLY: Final = 0o600
_ADDRESS: Final = re.compile(r"(0x)?[0-9a-fA-F]{40}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class KeystoreSigner:
    """Signs digests with an unlocked key, and shows nothing but its address."""

    __slots__ = ("__key", "_address", "_point")

    def __init__(self, secret: bytes) -> None:
        from coincurve import PrivateKey

        self.__key = PrivateKey(secret)
        self._point: bytes = self.__key.public_key.format(compressed=False)
        self._address: str = address_of_key(self._point)

    @property
    def address(self) -> str:
        """Return the checksummed address that signatures recover to."""
        return self._address

    def sign_digest(self, digest: bytes) -> str:
        """Return the low-s signature of `digest`, checked by recovering its signer.

        Raises:
            Fault: `bad_argument` when `digest` is not 32 bytes; `bad_signature` when what
                was signed does not recover to this key.
        """
        made = self.__key.sign_recoverable(check_digest(digest), hasher=None)
        r, s, v = int.from_bytes(made[:32]), int.from_bytes(made[32:64]), made[64]
        if s > HALF_ORDER:
            s, v = CURVE_ORDER - s, 1 - v
        text = "0x" + (r.to_bytes(32) + s.to_bytes(32) + bytes([27 + v])).hex()
        # A faulty signature can give the key away, so none leaves unchecked.
        if recover_point(digest, text) != self._point:
            raise bad_signature("it does not recover to the key that made it")
        return text

    def __repr__(self) -> str:
        return f"KeystoreSigner({self._address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is never copied or pickled")


def create_keystore(
    path: Path, *, passphrase: str, name: str, work_factor: int = STANDARD_WORK_FACTOR
) -> str:
    """Make a new key at `path` (mode 0600) and return its checksummed address.

    `work_factor` is scrypt's N, a power of two; tests and demos pass a light one.

    Raises:
        Fault: `bad_argument` when the file exists, or passphrase, name or work factor is
            unusable; `storage_failed` when it cannot be written.
    """
    from eth_keyfile.keyfile import create_keyfile_json

    _check_new(passphrase, name, work_factor)
    secret = (secrets.randbelow(CURVE_ORDER - 1) + 1).to_bytes(32)
    address = KeystoreSigner(secret).address
    document = create_keyfile_json(
        secret, passphrase.encode(), version=_VERSION, kdf="scrypt", iterations=work_factor
    )
    _write_once(path, json.dumps({**document, "address": address[2:], "name": name}).encode())
    return address


def keystore_address(path: Path) -> str:
    """Return the checksummed address of a keystore; needs no passphrase, proves nothing.

    Raises:
        Fault: `key_missing`, or `corrupt_data` when the file is no keystore.
    """
    from eth_utils.address import to_checksum_address

    address = _read(path).get("address")
    if not isinstance(address, str) or _ADDRESS.fullmatch(address) is None:
        raise _not_a_keystore(path)
    return str(to_checksum_address(address if address.startswith("0x") else "0x" + address))


def unlock_keystore(path: Path, *, passphrase: str) -> KeystoreSigner:
    """Return a signer for the keystore at `path`.

    Raises:
        Fault: `key_missing`; `wrong_passphrase`; `corrupt_data` when the file is no
            keystore or holds another key than its address says; `bad_config` when others
            may read it.
    """
    from eth_keyfile.exceptions import EthKeyfileValueError
    from eth_keyfile.keyfile import decode_keyfile_json

    document = _read(path)
    _check_permissions(path)
    _check_cost(path, document)
    stated = keystore_address(path)
    try:
        signer = KeystoreSigner(decode_keyfile_json(document, passphrase.encode()))
    except EthKeyfileValueError:
        # Without the cause: its frames hold the passphrase.
        raise _wrong_passphrase(path) from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise _not_a_keystore(path) from None
    if signer.address != stated:
        raise _not_a_keystore(path)
    return signer


def _check_new(passphrase: str, name: str, work_factor: int) -> None:
    if not passphrase:
        raise Fault(ErrorCode.BAD_ARGUMENT, "the passphrase is empty", fix="choose a passphrase")
    if _NAME.fullmatch(name) is None:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "a key's name is lower-case letters, digits, - and _",
            fix="choose a name such as 'seal'",
        )
    is_power_of_two = work_factor.bit_count() == 1
    if not is_power_of_two or not LIGHTEST_WORK_FACTOR <= work_factor <= _HEAVIEST_WORK_FACTOR:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "scrypt's work factor must be a power of two between 2^10 and 2^20",
            fix=f"leave it at {STANDARD_WORK_FACTOR}",
        )


def _write_once(path: Path, content: bytes) -> None:
    """Write a new file that is either absent or complete, and never replaces another."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)
        finally:
            fresh.unlink()
        _sync_directory(path.parent)
    except FileExistsError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"the key {path.name} exists already and is never overwritten",
            fix="choose another name, or move the old file away yourself",
        ) from error
    except OSError as error:
        raise Fault(
            ErrorCode.STORAGE_FAILED,
            f"the key {path.name} cannot be written ({error.strerror})",
            fix="check the directory's permissions and free space",
        ) from error


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise Fault(
            ErrorCode.KEY_MISSING,
            f"the key {path.name} cannot be read ({error.strerror})",
            fix="create it first, or correct the path",
        ) from error
    try:
        document = json.loads(content)
    except ValueError:
        raise _not_a_keystore(path) from None
    if not isinstance(document, dict) or len(content) > _LARGEST_FILE_BYTES:
        raise _not_a_keystore(path)
    return document


def _check_permissions(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            f"the key {path.name} is open to other users",
            fix=f"chmod 600 {path.name}, and replace the key if somebody may have read it",
        )


def _check_cost(path: Path, document: dict[str, Any]) -> None:
    """Refuse other formats, and work factors that would hang or exhaust the process."""
    crypto = document.get("crypto")
    if not isinstance(crypto, dict) or document.get("version") != _VERSION or crypto.get("kdf") != "scrypt":
        raise _not_a_keystore(path)
    params = crypto.get("kdfparams")
    if not isinstance(params, dict):
        raise _not_a_keystore(path)
    cost = [params.get(key) for key in ("n", "r", "p", "dklen")]
    ceilings = (_HEAVIEST_WORK_FACTOR, 8, 1, 32)
    if not all(type(have) is int and 0 < have <= most for have, most in zip(cost, ceilings, strict=True)):
        raise _not_a_keystore(path)


def _wrong_passphrase(path: Path) -> Fault:
    return Fault(
        ErrorCode.WRONG_PASSPHRASE,
        f"the passphrase does not open the key {path.name}",
        fix="try again; a lost passphrase cannot be recovered",
    )


def _not_a_keystore(path: Path) -> Fault:
    return Fault(
        ErrorCode.CORRUPT_DATA,
        f"{path.name} is not a usable keystore",
        fix="restore it from a backup, or create a new key",
    )
