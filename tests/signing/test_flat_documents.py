"""Flat documents hash as the reference library hashes them; every other one is left to it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import eth_account.messages  # noqa: F401 - changes the recursion limit, which a property must not
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from signing.eip712 import _digest_by_library, address_of_key, typed_digest
from signing.flat_documents import flat_digest, keccak256
from tests.signing.test_eip712 import MAIL
from when_to_invest.domains import SigningDomain, domain_fields, domain_values
from when_to_invest.errors import ErrorCode, Fault

HERE = SigningDomain(home_id="ab" * 32, chain_id=31_337)
VALUES = {
    "string": st.text(max_size=60),
    "uint256": st.integers(0, 2**256 - 1),
    "bytes32": st.binary(min_size=32, max_size=32),
}
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
members = st.dictionaries(names, st.sampled_from(sorted(VALUES)), min_size=1, max_size=6)
ODD_NAMES = [
    *("string", "uint256", "bytes32", "bool", "address", "int8", "bytes", "uint", "function"),
    *("Note[]", "Note[3]", "A B", "", "9a"),
]
NOTE: dict[str, Any] = {
    "types": {
        "EIP712Domain": domain_fields(HERE),
        "Note": [{"name": "text", "type": "string"}, {"name": "count", "type": "uint256"}],
    },
    "primaryType": "Note",
    "domain": domain_values(HERE),
    "message": {"text": "a", "count": 1},
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw flat documents of any members, in a domain of any of its members."""
    kinds = draw(members)
    kept = draw(st.sets(st.sampled_from(sorted(domain_values(HERE))), min_size=1))
    return {
        "types": {
            "EIP712Domain": [item for item in domain_fields(HERE) if item["name"] in kept],
            "Note": [{"name": name, "type": kind} for name, kind in kinds.items()],
        },
        "primaryType": "Note",
        "domain": {name: value for name, value in domain_values(HERE).items() if name in kept},
        "message": {name: draw(VALUES[kind]) for name, kind in kinds.items()},
    }


@given(documents())
def test_a_flat_document_hashes_as_the_library_hashes_it(typed: dict[str, Any]) -> None:
    assert flat_digest(typed) == _digest_by_library(typed)


def _called(typed: dict[str, Any], name: str) -> dict[str, Any]:
    types = {"EIP712Domain": typed["types"]["EIP712Domain"], name: typed["types"]["Note"]}
    return typed | {"types": types, "primaryType": name}


def _outcome(digest: Callable[[dict[str, Any]], bytes], typed: dict[str, Any]) -> bytes | ErrorCode:
    try:
        return digest(typed)
    except Fault as refused:
        return refused.code


@given(documents(), st.sampled_from(ODD_NAMES) | names | st.text(max_size=6))
def test_whatever_its_structure_is_called_no_document_is_hashed_otherwise_than_by_the_library(
    typed: dict[str, Any], name: str
) -> None:
    renamed = _called(typed, name)
    by_library = _outcome(_digest_by_library, renamed)
    assert flat_digest(renamed) in {None, by_library}
    assert _outcome(typed_digest, renamed) in {by_library, ErrorCode.BAD_ARGUMENT}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_what_is_no_name_of_a_structure_is_left_to_the_library(name: str) -> None:
    assert flat_digest(_called(NOTE, name)) is None


def _changed(*path: str, to: Any) -> dict[str, Any]:
    made = deepcopy(NOTE)
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return made


@pytest.mark.parametrize(
    "typed",
    [
        MAIL,
        _changed("types", "More", to=[{"name": "text", "type": "string"}]),
        _changed("types", "EIP712Domain", to=domain_fields(HERE)[::-1]),
        _changed("types", "Note", to=[{"name": "text", "type": "string"}, {"name": "count", "type": "int8"}]),
        {**_changed("types", "Note", to=[{"name": "a b", "type": "uint256"}]), "message": {"a b": 1}},
        _changed("message", "count", to="1"),
        _changed("message", "count", to=True),
        _changed("message", "count", to=-1),
        _changed("message", "count", to=2**256),
        _changed("message", "text", to="\ud800"),
        _changed("domain", "salt", to="0x" + "ab" * 32),
        _changed("domain", "salt", to=b"short"),
        {**NOTE, "primaryType": "EIP712Domain", "message": NOTE["domain"]},
    ],
)
def test_what_is_not_plainly_flat_is_left_to_the_library(typed: dict[str, Any]) -> None:
    assert flat_digest(typed) is None


def test_text_that_is_no_text_has_no_digest() -> None:
    with pytest.raises(Fault) as caught:
        typed_digest(_changed("message", "text", to="\ud800"))
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


@given(st.binary(min_size=64, max_size=64))
def test_addresses_are_spelled_as_the_reference_spells_them(point: bytes) -> None:
    address = to_checksum_address(keccak256(point)[-20:])
    assert address_of_key(b"\x04" + point) == address
