"""EIP-712 digests of flat documents, worked out here: what the gate and people sign is flat.

Stage: sealing, approving, verifying. Only a document of text, `uint256` and 32 bytes whose
domain is spelled in the standard's order is hashed here; every other one is left to the
reference library. It must never give a digest that the library would not give.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

_DOMAIN: Final = "EIP712Domain"
_DOMAIN_KINDS: Final = {"name": "string", "version": "string", "chainId": "uint256", "salt": "bytes32"}
"""The members a domain may have here, in the standard's order."""
_UINT256_END: Final = 2**256
_WORD: Final = 32
_PLAIN: Final = {str, int, bytes}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ATOMIC: Final = re.compile(r"string|bool|address|function|byte|(u?int|bytes)\d*|u?fixed(\d+x\d+)?")
"""What the standard and Solidity call a kind of their own; the library refuses structures of such names."""


def flat_digest(typed: dict[str, Any]) -> bytes | None:
    """Return keccak256(0x19 ‖ 0x01 ‖ domain separator ‖ struct hash); None when it is not flat.

    `typed` is a complete document, its structures having exactly the fields of their types.
    """
    types, primary = typed["types"], typed["primaryType"]
    if set(types) != {_DOMAIN, primary} or not _is_name(primary):
        return None
    domain, message = _members(types[_DOMAIN]), _members(types[primary])
    if domain is None or message is None or not _is_standard(domain):
        return None
    values = tuple(typed["domain"][name] for name, _ in domain)
    if not {type(value) for value in values} <= _PLAIN:
        return None
    separator = _separator(domain, values)
    content = _hashed(primary, message, typed["message"])
    return None if separator is None or content is None else keccak256(b"\x19\x01" + separator + content)


def _is_name(primary: str) -> bool:
    """Return whether a structure may be called that here: one word, and no kind that exists already."""
    return primary != _DOMAIN and primary.isidentifier() and _ATOMIC.fullmatch(primary) is None


def _members(fields: Sequence[object]) -> tuple[tuple[str, str], ...] | None:
    """Return names and kinds; None when a kind is not one of ours."""
    members = []
    for field in fields:
        name, kind = (field.get("name"), field.get("type")) if isinstance(field, dict) else (None, None)
        if (
            not isinstance(name, str)
            or not name.isidentifier()
            or kind not in {"string", "uint256", "bytes32"}
        ):
            return None
        members.append((name, str(kind)))
    return tuple(members)


def _is_standard(domain: tuple[tuple[str, str], ...]) -> bool:
    named = {name for name, _ in domain}
    return domain == tuple((name, kind) for name, kind in _DOMAIN_KINDS.items() if name in named)


def _hashed(name: str, members: tuple[tuple[str, str], ...], values: dict[str, Any]) -> bytes | None:
    """Return hashStruct of the standard; None when a value is not plainly of its kind."""
    words = [_word(kind, values[member]) for member, kind in members]
    if None in words:
        return None
    return keccak256(_type_hash(name, members) + b"".join(word for word in words if word is not None))


def _word(kind: str, value: object) -> bytes | None:
    """Return encodeData of one member."""
    if kind == "string" and type(value) is str and not _SURROGATE.search(value):
        return _text_hash(value)
    if kind == "uint256" and type(value) is int and 0 <= value < _UINT256_END:
        return value.to_bytes(_WORD)
    if kind == "bytes32" and type(value) is bytes and len(value) == _WORD:
        return value
    return None


@lru_cache(maxsize=16)
def _text_hash(text: str) -> bytes:
    """Return the hash of a text; some, such as the mode, stand in every document."""
    return keccak256(text.encode())


@lru_cache(maxsize=64, typed=True)
def _separator(members: tuple[tuple[str, str], ...], values: tuple[object, ...]) -> bytes | None:
    """Return the domain separator, which is the same for all that one home signs."""
    return _hashed(_DOMAIN, members, {name: value for (name, _), value in zip(members, values, strict=True)})


@lru_cache(maxsize=64)
def _type_hash(name: str, members: tuple[tuple[str, str], ...]) -> bytes:
    told = ",".join(f"{kind} {member}" for member, kind in members)
    return keccak256(f"{name}({told})".encode())


def keccak256(content: bytes) -> bytes:
    """Return the Keccak-256 hash of `content`, 32 bytes."""
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=content).digest()
