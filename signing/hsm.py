"""Signs with a key inside a PKCS#11 token (an HSM, or SoftHSM2) that cannot be taken out.

Stage: sealing. The token is trusted with the key and with nothing else: a key that could be
read or copied out is not used, and every signature must recover to the token's own public
key. The PIN comes with the launch secrets and is never part of the configuration.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable
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
    """Signs digests inside the token; one session, one call at a time.

    With `reopen` a lost session is opened again once a call, with the PIN that opened it first;
    a PIN that the token then refuses is never tried again, because tokens lock.
    """

    __slots__ = ("_address", "_lock", "_private", "_reopen", "_session")

    def __init__(
        self, session: Any, private: Any, *, address: str, reopen: Callable[[], HsmSigner] | None = None
    ) -> None:
        self._session = session
        self._private = private
        self._address = address
        self._reopen = reopen
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
                `service_unavailable` when it cannot sign now.
        """
        message = check_digest(digest)
        with self._lock:
            raw = self._signed(message) or self._signed_anew(message)
        return spell_raw(raw, digest=message, address=self._address)

    def _signed(self, message: bytes) -> bytes:
        """Return the token's bare signature; nothing when the session has gone and may come back."""
        import pkcs11

        try:
            return bytes(self._private.sign(message, mechanism=pkcs11.Mechanism.ECDSA))
        except pkcs11.PKCS11Error as error:
            if self._reopen is not None:
                return b""
            raise _no_answer(type(error).__name__) from None

    def _signed_anew(self, message: bytes) -> bytes:
        """Sign in a fresh session with the same key, or not at all."""
        reopen, self._reopen = self._reopen, None
        if reopen is None:
            raise _no_answer("no signature")
        self._drop_session()
        try:
            fresh = reopen()
        except Fault as fault:
            if fault.code is ErrorCode.WRONG_PASSPHRASE:
                raise
            self._reopen = reopen
            raise _no_answer("it is not there") from None
        if fresh.address != self._address:
            fresh.close()
            raise unusable_key("the token came back with another key under the same label")
        self._session, self._private = fresh._session, fresh._private  # noqa: SLF001 - another of its own kind
        raw = self._signed(message)
        self._reopen = reopen
        return raw

    def _drop_session(self) -> None:
        """Leave a session that is lost; the next one may get its very number."""
        import pkcs11

        with contextlib.suppress(pkcs11.PKCS11Error):
            self._session.close()

    def close(self) -> None:
        """End the session; the signer signs no more."""
        with self._lock:
            self._reopen = None
            self._session.close()

    def __repr__(self) -> str:
        return f"HsmSigner({self._address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is never copied or pickled")


def open_hsm_signer(key: TokenKey, *, pin: str) -> HsmSigner:
    """Log in to the token and return a signer for its key, which keeps the PIN to log in again.

    Raises:
        Fault: `key_missing` without library, token or key; `wrong_passphrase`; `bad_config`
            when the key is not a non-extractable secp256k1 signing key.
    """
    signer = _opened(key, pin=pin)
    signer._reopen = lambda: _opened(key, pin=pin, is_again=True)  # noqa: SLF001 - made here
    return signer


def _opened(key: TokenKey, *, pin: str, is_again: bool = False) -> HsmSigner:
    library = _library_at(key.module_path)
    import pkcs11

    try:
        if is_again:
            # A token that was away is often seen again only by a library that starts anew.
            library.reinitialize()
        session = library.get_token(token_label=key.token).open(user_pin=pin)
    except pkcs11.PKCS11Error as error:
        raise _not_opened(type(error).__name__) from None
    try:
        return _signer_of(session, key.label)
    except pkcs11.PKCS11Error as error:
        session.close()
        raise _absent(f"the token does not show it ({type(error).__name__})") from error
    except Fault:
        session.close()
        raise


def _library_at(path: str) -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "signing with an HSM needs a package that is not installed",
            fix="install the extra: when-to-invest[hsm]",
        ) from error
    try:
        return pkcs11.lib(path)
    except (pkcs11.PKCS11Error, OSError, RuntimeError) as error:
        raise _absent("its PKCS#11 library cannot be loaded") from error


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


def _no_answer(what: str) -> Fault:
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"the token cannot sign now ({what}); nothing was signed",
        fix="check that the token is present and unlocked, then try again",
    )


def _unreadable_uri() -> Fault:
    return Fault(
        ErrorCode.BAD_CONFIG,
        "[signing] seal is no usable pkcs11: address",
        fix='write "pkcs11:token=NAME;object=LABEL?module-path=/path/to/library.so"; the PIN is asked for',
    )
