"""The one port through which anything is signed. Stage: sealing and approving.

A signer signs 32-byte digests and says whose address it signs for. It must never show,
log, pickle or return the private key.
"""

from __future__ import annotations

from typing import Protocol


class DigestSigner(Protocol):
    """Something that signs EIP-712 digests with one secp256k1 key."""

    @property
    def address(self) -> str:
        """Return the checksummed address that signatures recover to."""
        ...

    def sign_digest(self, digest: bytes) -> str:
        """Return `0x` and 130 lower-case hex digits r ‖ s ‖ v: low s, v 27 or 28.

        Raises:
            Fault: `bad_signature` when the key cannot sign, or signed something else.
        """
        ...
