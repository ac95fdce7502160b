"""EIP-712 written again from the standard, for flat documents of text, numbers and 32 bytes."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak


def naive_digest(typed: dict[str, Any]) -> bytes:
    domain = hash_struct(typed["types"], "EIP712Domain", typed["domain"])
    message = hash_struct(typed["types"], typed["primaryType"], typed["message"])
    return keccak(b"\x19\x01" + domain + message)


def hash_struct(types: dict[str, Any], name: str, value: dict[str, Any]) -> bytes:
    members = types[name]
    told = ",".join(f"{member['type']} {member['name']}" for member in members)
    return keccak(
        keccak(f"{name}({told})".encode())
        + b"".join(encoded(member["type"], value[member["name"]]) for member in members)
    )


def encoded(kind: str, value: Any) -> bytes:
    match kind:
        case "string":
            return keccak(value.encode())
        case "uint256":
            return int(value).to_bytes(32)
        case "bytes32":
            return value if isinstance(value, bytes) else bytes.fromhex(value.removeprefix("0x"))
        case _:
            raise TypeError(kind)
