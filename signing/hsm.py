"""Signs with a key inside a PKCS#11 token (an HSM, or SoftHSM2) that cannot be taken out.

Stage: sealing. The token is trusted with the key and with nothing else: a key that could be
read or copied out is not used, and every signature must recover to the token's own public
key. The PIN comes with the launch secrets and is never part of the configuration.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from signing.ecdsa import SECP256K1_OID, address_of_ec_point, spell_raw, unusable_key
from signing.eip712 import check_digest
from when_to_invest.errors import ErrorCode, Fault

_PART: Final = re.compile(r"[A-Za-z0-9._~%/+ -]{1,200}")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Which key in which token, reached through which PKCS#11 library."""

    module_path: str
    token: str
    label: str


def parse_token_uri(uri: str) -> TokenKey:
    """Return what `pkcs11:token=T;object=K?module-path=/path/lib.so` (RFC 7512) names.

    Raises:
        Fault: `bad_config` for any other attribute, a missing one, or one given twice.
    """
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    parts: dict[str, str] = {}
    for part in filter(None, [*path.split(";"), *query.split("&")]):
        name, _, value = part.partition("=")
        if name in parts or _PART.fullmatch(value) is None:
            raise _unreadable_uri()
        parts[name] = unquote(value)
    if set(parts) != {"token", "object", "module-path"} or not parts["module-path"].startswith("/"):
        raise _unreadable_uri()
    return TokenKey(parts["module-path"], parts["token"], parts["object"])


class HsmSigner:
    """Signs digests inside the token; one session, one call at a time."""

    __slots__ = ("_address", "_lock", "_private", "_session")

    def __init__(self, session: Any, private: Any, *, address: str) -> None:
        self._session = session
        self._private = private
        self._address = address
        # A PKCS#11 session carries the state of one operation; two threads would mix theirs.
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Return the checksummed address that signatures recover to."""
        return self._address

    def sign_digest(self, digest: bytes) -> str:
        """Return the low-s signature of `digest`, checked by recovering its signer.

        Raises:
            Fault: `bad_signature` when the token signed something else;
                `service_unavailable` when it cannot sign any more.
        """
        import pkcs11

        message = check_digest(digest)
        try:
            with self._lock:
                raw = self._private.sign(message, mechanism=pkcs11.Mechanism.ECDSA)
        except pkcs11.PKCS11Error as error:
            raise Fault(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"the token did not sign ({type(error).__name__})",
                fix="check that the token is present and unlocked, then restart the services",
            ) from error
        return spell_raw(bytes(raw), digest=message, address=self._address)

    def close(self) -> None:
        """End the session; the signer signs no more."""
        with self._lock:
            self._session.close()

    def __repr__(self) -> str:
        return f"HsmSigner({self._address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is never copied or pickled")


def open_hsm_signer(key: TokenKey, *, pin: str) -> HsmSigner:
    """Log in to the token and return a signer for its key.

    Raises:
        Fault: `key_missing` without library, token or key; `wrong_passphrase`; `bad_config`
            when the key is not a non-extractable secp256k1 signing key.
    """
    pkcs11 = _library()
    try:
        session = pkcs11.lib(key.module_path).get_token(token_label=key.token).open(user_pin=pin)
    except pkcs11.PKCS11Error as error:
        raise _not_opened(type(error).__name__) from None
    except (OSError, RuntimeError) as error:
        raise _absent("its PKCS#11 library cannot be loaded") from error
    try:
        return _signer_of(session, key.label)
    except pkcs11.PKCS11Error as error:
        session.close()
        raise _absent(f"the token does not show it ({type(error).__name__})") from error
    except Fault:
        session.close()
        raise


def _library() -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "signing with an HSM needs a package that is not installed",
            fix="install the extra: when-to-invest[hsm]",
        ) from error
    return pkcs11


def _signer_of(session: Any, label: str) -> HsmSigner:
    import pkcs11

    private = _only(session, label, pkcs11.ObjectClass.PRIVATE_KEY)
    public = _only(session, label, pkcs11.ObjectClass.PUBLIC_KEY)
    attribute = pkcs11.Attribute
    for key in (private, public):
        if key.key_type is not pkcs11.KeyType.EC or bytes(key[attribute.EC_PARAMS]) != SECP256K1_OID:
            raise unusable_key("it is not a secp256k1 key")
    if private[attribute.EXTRACTABLE] or not private[attribute.SENSITIVE]:
        raise unusable_key("it can be taken out of the token")
    if not private[attribute.SIGN]:
        raise unusable_key("it is not for signing")
    return HsmSigner(session, private, address=address_of_ec_point(bytes(public[attribute.EC_POINT])))


def _only(session: Any, label: str, kind: object) -> Any:
    from pkcs11 import Attribute

    # All of them: a search that is left half-way keeps the session busy.
    found = list(session.get_objects({Attribute.LABEL: label, Attribute.CLASS: kind}))
    if len(found) != 1:
        raise _absent(f"the token has {len(found) or 'no'} keys of that label")
    return found[0]


def _not_opened(kind: str) -> Fault:
    if kind in {"PinIncorrect", "PinInvalid", "PinLenRange", "ArgumentsBad"}:
        return Fault(
            ErrorCode.WRONG_PASSPHRASE,
            "the PIN does not open the token",
            fix="try again; most tokens lock after a few wrong PINs",
        )
    if kind == "PinLocked":
        return Fault(
            ErrorCode.WRONG_PASSPHRASE, "the token's PIN is locked", fix="unlock it with the token's SO PIN"
        )
    return _absent(f"its token cannot be opened ({kind})")


def _absent(why: str) -> Fault:
    return Fault(
        ErrorCode.KEY_MISSING,
        f"the HSM key cannot be used: {why}",
        fix="check token, object and module-path in [signing] seal",
    )


def _unreadable_uri() -> Fault:
    return Fault(
        ErrorCode.BAD_CONFIG,
        "[signing] seal is no usable pkcs11: address",
        fix='write "pkcs11:token=NAME;object=LABEL?module-path=/path/to/library.so"; the PIN is asked for',
    )
