"""Where a signature belongs: one home on one chain. Part of every document that is signed.

Two homes that share keys have different ids, so a signature made for one proves nothing in
the other. Signatures from before homes had ids (version 1 of the domain) name no home.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from when_to_invest.values import Hash, Value

TEST_CHAIN_ID: Final = 31_337
"""The chain id of homes that write to no real chain."""
_NAME: Final = "When to Invest"
_STRING: Final = "string"


class SigningDomain(Value):
    """The home a signature is for, and the chain id a wallet shows beside it."""

    home_id: Hash
    chain_id: int = Field(gt=0, lt=2**53)


def domain_fields(domain: SigningDomain | None) -> list[dict[str, str]]:
    """Return the members of `EIP712Domain`; none is the domain of version 1."""
    fields = {"name": _STRING, "version": _STRING}
    if domain is not None:
        fields |= {"chainId": "uint256", "salt": "bytes32"}
    return [{"name": name, "type": kind} for name, kind in fields.items()]


def domain_values(domain: SigningDomain | None) -> dict[str, Any]:
    """Return the values of `EIP712Domain`: the home's id is the salt."""
    if domain is None:
        return {"name": _NAME, "version": "1"}
    return {
        "name": _NAME,
        "version": "2",
        "chainId": domain.chain_id,
        "salt": bytes.fromhex(domain.home_id),
    }


def wallet_json(typed: dict[str, Any]) -> dict[str, Any]:
    """Return a typed document as `eth_signTypedData_v4` takes it: bytes as 0x and hex digits."""
    return {key: _for_wallet(value) for key, value in typed.items()}


def _for_wallet(value: object) -> object:
    match value:
        case bytes():
            return "0x" + value.hex()
        case dict():
            return {key: _for_wallet(item) for key, item in value.items()}
        case list():
            return [_for_wallet(item) for item in value]
        case _:
            return value
