"""Where the sealing key lives, as `[signing] seal` says, and which seals are trusted from the start.

Stage: assembly of the sealing process and of whoever verifies. Each kind of key brings its
own libraries, which are imported only when that kind is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from home.signing import KMS, PKCS11, SigningSettings
from signing.keystore import keystore_address, unlock_keystore
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from home.paths import Home
    from signing.signer import DigestSigner

FOUNDING_KEY: Final = "seal"
"""Name of the keystore that `up` makes; whoever verifies here trusts it from the start."""


def keystore_path(home: Home, settings: SigningSettings) -> Path:
    """Return the file of a keystore seal: `keys/seal.json`, or the one that is named."""
    _, _, name = settings.seal.partition(":")
    return home.keys / f"{name or FOUNDING_KEY}.json"


def open_seal(home: Home, settings: SigningSettings, *, secret: str | None) -> DigestSigner:
    """Return the sealing signer; `secret` is the keystore's passphrase or the token's PIN.

    Raises:
        Fault: `key_missing`, `wrong_passphrase`, `bad_config` or `service_unavailable`.
    """
    if settings.uses_keystore and secret is not None:
        return unlock_keystore(keystore_path(home, settings), passphrase=secret)
    return open_elsewhere(settings.seal, settings, secret=secret)


def open_elsewhere(place: str, settings: SigningSettings, *, secret: str | None) -> DigestSigner:
    """Return a signer for a key in KMS or in a token, which answers in bounded time or refuses.

    `place` is spelled as `[signing] seal` is; region and endpoint come from `settings`.

    Raises:
        Fault: as `open_seal` does; `bad_argument` for any other place.
    """
    from signing.bounded import BoundedSigner

    if place.startswith(KMS):
        from signing.kms import connect_kms, open_kms_signer

        client = connect_kms(region=settings.region, endpoint_url=settings.endpoint_url)
        return BoundedSigner(open_kms_signer(client, kms_key(place)))
    if secret is None:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "the sealing key does not open without its passphrase or PIN",
            fix="use `when-to-invest up`, which asks for it",
        )
    if not place.startswith(PKCS11):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "that is no place of a key",
            fix="give kms:ALIAS or pkcs11:token=NAME;object=LABEL?module-path=/path/to/library.so",
        )
    from signing.hsm import open_hsm_signer, parse_token_uri

    return BoundedSigner(open_hsm_signer(parse_token_uri(place), pin=secret))


def kms_key(seal: str) -> str:
    """Return what KMS is asked for: an ARN or a named alias as they are, a bare word as an alias."""
    name = seal.removeprefix(KMS)
    return name if name.startswith(("arn:", "alias/", "key/")) else f"alias/{name}"


def configured_seals(home: Home, settings: SigningSettings) -> frozenset[str]:
    """Return the addresses whose seals this process's own configuration trusts; perhaps none.

    Raises:
        Fault: `corrupt_data` when the founding keystore is none.
    """
    path = home.keys / f"{FOUNDING_KEY}.json"
    founding = {keystore_address(path)} if path.exists() else set()
    return frozenset(founding | set(settings.trusted_seals))


def trusted_seals(home: Home, settings: SigningSettings) -> frozenset[str]:
    """Return `configured_seals` for whoever acts on sealed envelopes, which needs some.

    Raises:
        Fault: `key_missing` when there is none; what `configured_seals` raises.
    """
    trusted = configured_seals(home, settings)
    if not trusted:
        raise Fault(
            ErrorCode.KEY_MISSING,
            "this process knows no sealing key that it may trust",
            fix="start with `when-to-invest up`, or write the sealing key's address (`when-to-invest keys "
            "list`) to [signing] trusted_seals",
        )
    return trusted
