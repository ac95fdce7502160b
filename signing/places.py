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
    if settings.seal.startswith(KMS):
        from signing.kms import connect_kms, open_kms_signer

        client = connect_kms(region=settings.region, endpoint_url=settings.endpoint_url)
        return open_kms_signer(client, kms_key(settings.seal))
    if secret is None:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "the sealing key does not open without its passphrase or PIN",
            fix="use `when-to-invest up`, which asks for it",
        )
    if settings.seal.startswith(PKCS11):
        from signing.hsm import open_hsm_signer, parse_token_uri

        return open_hsm_signer(parse_token_uri(settings.seal), pin=secret)
    return unlock_keystore(keystore_path(home, settings), passphrase=secret)


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
