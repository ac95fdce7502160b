"""A small token for the embedded test chain, assembled here from its own listing.

It answers the read functions of ERC-20 (`balanceOf`, `totalSupply`, `decimals`, `symbol`,
`name`) and nothing else: there is no function that moves a balance. Source: the EVM's
opcode table (Ethereum Yellow Paper, appendix H) and the ABI encoding of strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COIN_NAME: Final = "Test Dollar"
COIN_SYMBOL: Final = "TUSD"
TOKEN_DECIMALS: Final = 6
TOKEN_SUPPLY: Final = 250_000 * 10**TOKEN_DECIMALS
"""In base units; all of it belongs to the account that deploys the token."""

_OPCODES: Final = {
    "CALLER": 0x33,
    "CALLDATALOAD": 0x35,
    "CODECOPY": 0x39,
    "DUP1": 0x80,
    "EQ": 0x14,
    "JUMPDEST": 0x5B,
    "JUMPI": 0x57,
    "MSTORE": 0x52,
    "RETURN": 0xF3,
    "REVERT": 0xFD,
    "SHR": 0x1C,
    "SLOAD": 0x54,
    "SSTORE": 0x55,
}
_PUSH1: Final = 0x60
_PUSH2: Final = 0x61
_WORD: Final = 32
_SELECTORS: Final = {
    "balanceOf": 0x70A08231,
    "totalSupply": 0x18160DDD,
    "decimals": 0x313CE567,
    "symbol": 0x95D89B41,
    "name": 0x06FDDE03,
}
"""First four bytes of the Keccak-256 of each signature."""


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the code that a jump can go to."""

    name: str


@dataclass(frozen=True, slots=True)
class To:
    """Push the place of a label."""

    name: str


Part = str | int | Label | To


def assemble(listing: list[Part]) -> bytes:
    """Return the code of a listing: opcode names, numbers to push, labels and jumps to them.

    Raises:
        KeyError: an opcode or a label that does not exist.
    """
    places, size = {}, 0
    for part in listing:
        if isinstance(part, Label):
            places[part.name] = size
        size += len(_encoded(part, dict.fromkeys([part.name], 0) if isinstance(part, To) else {}))
    return b"".join(_encoded(part, places) for part in listing)


def _encoded(part: Part, places: dict[str, int]) -> bytes:
    match part:
        case Label():
            return bytes([_OPCODES["JUMPDEST"]])
        case To(name):
            return bytes([_PUSH2]) + places[name].to_bytes(2)
        case str():
            return bytes([_OPCODES[part]])
        case int():
            width = max(1, (part.bit_length() + 7) // 8)
            return bytes([_PUSH1 + width - 1]) + part.to_bytes(width)


def runtime_code() -> bytes:
    """Return the code that lives at the token's address."""
    listing: list[Part] = [0, "CALLDATALOAD", 224, "SHR"]
    for name, selector in _SELECTORS.items():
        listing += ["DUP1", selector, "EQ", To(name), "JUMPI"]
    listing += [0, 0, "REVERT"]
    # The balance of an account stands in the storage slot of its own address.
    listing += [Label("balanceOf"), 4, "CALLDATALOAD", "SLOAD", *_return_word()]
    listing += [Label("totalSupply"), TOKEN_SUPPLY, *_return_word()]
    listing += [Label("decimals"), TOKEN_DECIMALS, *_return_word()]
    listing += [Label("symbol"), *_return_text(COIN_SYMBOL)]
    listing += [Label("name"), *_return_text(COIN_NAME)]
    return assemble(listing)


def creation_code() -> bytes:
    """Return the code that deploys the token and gives its deployer the whole supply."""
    runtime = runtime_code()
    mint: list[Part] = [TOKEN_SUPPLY, "CALLER", "SSTORE"]

    def deploy(offset: int) -> bytes:
        copy: list[Part] = [len(runtime), offset, 0, "CODECOPY", len(runtime), 0, "RETURN"]
        return assemble([*mint, *copy])

    # The offset is one byte either way, so the length found with 0 holds.
    return deploy(len(deploy(0))) + runtime


def _return_word() -> list[Part]:
    return [0, "MSTORE", _WORD, 0, "RETURN"]


def _return_text(text: str) -> list[Part]:
    """Return a short string as the ABI encodes it: offset, length, bytes padded to a word."""
    padded = int.from_bytes(text.encode().ljust(_WORD, b"\0"))
    stored: list[Part] = [_WORD, 0, "MSTORE", len(text), _WORD, "MSTORE", padded, 2 * _WORD, "MSTORE"]
    return [*stored, 3 * _WORD, 0, "RETURN"]
