"""An approver's own key on this machine: an encrypted keystore, a PKCS#11 token, or AWS KMS.

Stage: approving. A key in a token or in KMS never leaves it; the PIN is asked for, or read
from a file, and never part of a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import read_passphrase

if TYPE_CHECKING:
    from pathlib import Path

    from home.paths import Home
    from signing.signer import DigestSigner

KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="Where the key lies if it is no keystore here: kms:ALIAS, or "
        "pkcs11:token=NAME;object=LABEL?module-path=/path/to/library.so.",
        show_default=False,
    ),
]


def keystore_of(home: Home, approver: str) -> Path:
    """Return where an approver's encrypted key lies on this machine."""
    return home.keys / f"approver-{approver}.json"


def approver_signer(
    home: Home, approver: str, *, key: str | None, passphrase_file: Path | None
) -> DigestSigner:
    """Return a signer for the approver's key; asks for its passphrase or PIN where one is needed.

    Raises:
        Fault: `key_missing`, `wrong_passphrase`, `bad_config`, `bad_argument` or
            `service_unavailable`.
    """
    if key is not None:
        return open_elsewhere_key(home, key, passphrase_file=passphrase_file)
    from signing.keystore import keystore_address, unlock_keystore

    path = keystore_of(home, approver)
    keystore_address(path)  # what is missing or damaged is told before anything is asked
    return unlock_keystore(
        path, passphrase=read_passphrase(passphrase_file, prompt=f"passphrase of {approver}: ")
    )


def open_elsewhere_key(home: Home, key: str, *, passphrase_file: Path | None) -> DigestSigner:
    """Return a signer for a key in a token or in KMS.

    Raises:
        Fault: as `approver_signer` does.
    """
    from home.settings import read_settings
    from home.signing import PKCS11
    from signing.places import open_elsewhere

    is_token = key.startswith(PKCS11)
    pin = read_passphrase(passphrase_file, prompt="PIN of the token: ") if is_token else ""
    return open_elsewhere(key, read_settings(home).signing, secret=pin)
