"""`[signing]` of config.toml: where the sealing key lives, and which seals and votes count.

No secret belongs here: passphrase and PIN come with the launch secrets.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from home.section import Section
from when_to_invest.domains import TEST_CHAIN_ID
from when_to_invest.values import Address, Name

KEYSTORE = "keystore"
KMS = "kms:"
PKCS11 = "pkcs11:"
SealPlace = Annotated[
    str,
    StringConstraints(
        pattern=r"^(keystore(:[a-z0-9][a-z0-9_-]{0,31})?|kms:[A-Za-z0-9:/_-]{1,300}|pkcs11:[!-~ ]{1,600})$"
    ),
]


class SigningSettings(Section):
    """`seal`: `keystore`, `keystore:NAME`, `kms:ALIAS` or `pkcs11:token=T;object=K?module-path=/L`."""

    seal: SealPlace = KEYSTORE
    region: str = "us-east-1"
    endpoint_url: str | None = None
    chain_id: int = Field(default=TEST_CHAIN_ID, gt=0, lt=2**53)
    """Shown by wallets; a wallet signs only for the chain it is set to."""
    trusted_seals: tuple[Address, ...] = ()
    """Sealing keys trusted from the start besides `keys/seal.json`; needed for KMS and HSM."""
    approvers_until: dict[Name, AwareDatetime] = Field(default_factory=dict)
    """Ends of votes; they can only come earlier than those in the journal."""

    @property
    def uses_keystore(self) -> bool:
        """Whether the sealing key is an encrypted file of this home."""
        return self.seal.startswith(KEYSTORE)

    @property
    def uses_aws(self) -> bool:
        """Whether the sealing process must reach AWS."""
        return self.seal.startswith(KMS)

    @property
    def uses_token(self) -> bool:
        """Whether the sealing process must load a PKCS#11 token's library."""
        return self.seal.startswith(PKCS11)
