"""The keys that the signer contract runs on: a file, a key service over HTTP, and a token.

SoftHSM2 is Debian's; everything else comes from the lock file. Its tokens live in a folder
of the test session, so no token of the machine is ever touched.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11.util.ec import encode_named_curve_parameters

from signing.hsm import HsmSigner, TokenKey, open_hsm_signer

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
SO_PIN, PIN = "so-1234", "1234"
TOKEN = "gate"  # noqa: S105 - the token's name


def needs_softhsm() -> None:
    """Skip on machines that are not Debian; .ci/run installs it and sets the variable."""
    if not SOFTHSM.exists():
        if os.environ.get("CI_HAS_SOFTHSM"):
            pytest.fail("softhsm2 should have been installed by .ci/run")
        pytest.skip("SoftHSM2 is not installed (Debian: apt-get install softhsm2)")


@dataclass(frozen=True)
class Token:
    """A fresh SoftHSM2 token in which keys can be made; its whole state lies in `directory`."""

    directory: Path
    name: str = TOKEN

    def make_key(self, label: str, *, curve: str = "secp256k1", **changes: bool) -> TokenKey:
        private = {
            pkcs11.Attribute.SENSITIVE: changes.get("sensitive", True),
            pkcs11.Attribute.EXTRACTABLE: changes.get("extractable", False),
            pkcs11.Attribute.SIGN: changes.get("sign", True),
        }
        with pkcs11.lib(str(SOFTHSM)).get_token(token_label=self.name).open(rw=True, user_pin=PIN) as session:
            curve_params = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve_params, local=True)
            parameters.generate_keypair(store=True, label=label, private_template=private)
        return self.key(label)

    def key(self, label: str) -> TokenKey:
        return TokenKey(str(SOFTHSM), self.name, label)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the token out, as when its cable is pulled, and bring it back."""
        elsewhere = self.directory.with_name("away")
        self.directory.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(self.directory)

    def opened(self, label: str) -> HsmSigner:
        return open_hsm_signer(self.key(label), pin=PIN)


def softhsm_token(directory: Path) -> Iterator[Token]:
    """Yield a token whose whole state lies below `directory`."""
    needs_softhsm()
    (directory / "tokens").mkdir()
    config = directory / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        # Read once, when the library is loaded for the first time in this process.
        patch.setenv("SOFTHSM2_CONF", str(config))
        made = ["--init-token", "--free", "--label", TOKEN, "--so-pin", SO_PIN, "--pin", PIN]
        subprocess.run(["softhsm2-util", *made], check=True, capture_output=True)
        yield Token(directory / "tokens")


def make_kms_key(client: Any, **changes: str) -> str:
    """Return the id of a new key; by default one that can seal."""
    asked = {"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY"} | changes
    return str(client.create_key(**asked)["KeyMetadata"]["KeyId"])
