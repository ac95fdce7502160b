"""EIP-712 digests and recovery, against the standard's own example and the reference library."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.eip712 import CURVE_ORDER, HALF_ORDER, recover_address, typed_digest
from signing.keystore import KeystoreSigner
from when_to_invest.errors import ErrorCode, Fault

SIGNER = KeystoreSigner(bytes(31) + b"\x07")
DIGEST = bytes(range(32))
MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
"""The example of the standard (EIP-712, "Mail")."""


def spelled(r: int, s: int, v: int) -> str:
    return "0x" + (r.to_bytes(32) + s.to_bytes(32) + bytes([v])).hex()


def parts(signature: str) -> tuple[int, int, int]:
    raw = bytes.fromhex(signature[2:])
    return int.from_bytes(raw[:32]), int.from_bytes(raw[32:64]), raw[64]


def test_the_standards_own_example_gives_the_standards_own_digest() -> None:
    expected = "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    assert typed_digest(MAIL).hex() == expected


def test_the_standards_own_example_recovers_the_standards_own_signer() -> None:
    signature = spelled(
        0x4355C47D63924E8A72E509B65029052EB6C299D53A04E167C5775FD466751C9D,
        0x07299936D304C153F6443DFA05F40FF007D72911B6F72307F996231605B91562,
        28,
    )
    assert recover_address(typed_digest(MAIL), signature) == "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"


@given(st.text(max_size=40), st.binary(min_size=32, max_size=32))
def test_documents_of_ours_hash_and_sign_as_the_reference_library_does(text: str, content: bytes) -> None:
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    typed = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}],
            "Note": [{"name": "text", "type": "string"}, {"name": "content", "type": "bytes32"}],
        },
        "primaryType": "Note",
        "domain": {"name": "test"},
        "message": {"text": text, "content": content},
    }
    signature = SIGNER.sign_digest(typed_digest(typed))
    signable = encode_typed_data(full_message=typed)
    assert Account.recover_message(signable, signature=signature) == SIGNER.address


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {**MAIL, "primaryType": "Nothing"},
        {**MAIL, "message": {"contents": "Hi"}},
        {**MAIL, "message": {**MAIL["message"], "contents": 5}},
        {**MAIL, "message": {**MAIL["message"], "more": "x"}},
        {**MAIL, "message": {**MAIL["message"], "to": {"name": "Bob"}}},
        {**MAIL, "domain": {"name": "Ether Mail"}},
        {**MAIL, "types": 3},
        {**MAIL, "primaryType": []},
        None,
    ],
)
def test_an_incomplete_document_has_no_digest(typed: dict[str, Any]) -> None:
    with pytest.raises(Fault) as caught:
        typed_digest(typed)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


@given(st.binary(min_size=32, max_size=32))
def test_a_signature_recovers_to_its_signer_and_has_a_low_s(digest: bytes) -> None:
    signature = SIGNER.sign_digest(digest)
    assert recover_address(digest, signature) == SIGNER.address
    assert 0 < parts(signature)[1] <= HALF_ORDER
    assert parts(signature)[2] in {27, 28}


def test_the_high_s_twin_of_a_signature_is_refused() -> None:
    r, s, v = parts(SIGNER.sign_digest(DIGEST))
    with pytest.raises(Fault) as caught:
        recover_address(DIGEST, spelled(r, CURVE_ORDER - s, 55 - v))
    assert caught.value.code is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("v", [0, 1, 2, 26, 29, 35, 37, 255])
def test_other_spellings_of_v_are_refused(v: int) -> None:
    r, s, _ = parts(SIGNER.sign_digest(DIGEST))
    with pytest.raises(Fault) as caught:
        recover_address(DIGEST, spelled(r, s, v))
    assert caught.value.code is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    "spoil", [str.upper, lambda t: t[2:], lambda t: t + "00", lambda t: t[:-2], lambda t: t + "\n"]
)
def test_other_spellings_of_a_signature_are_refused(spoil: Any) -> None:
    with pytest.raises(Fault) as caught:
        recover_address(DIGEST, spoil(SIGNER.sign_digest(DIGEST)))
    assert caught.value.code is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [None, b"\x00" * 65, "", "0x", "0x" + "٣" * 130, 5])
def test_what_is_no_signature_is_refused(signature: Any) -> None:
    with pytest.raises(Fault) as caught:
        recover_address(DIGEST, signature)
    assert caught.value.code is ErrorCode.BAD_SIGNATURE


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), st.sampled_from([27, 28]))
def test_invented_numbers_recover_to_nobody_we_know(r: int, s: int, v: int) -> None:
    recovered = None
    with suppress(Fault):
        recovered = recover_address(DIGEST, spelled(r, s, v))
    assert recovered != SIGNER.address


@pytest.mark.parametrize("r", [0, CURVE_ORDER, 5])
def test_an_r_that_lies_on_no_point_is_refused(r: int) -> None:
    with pytest.raises(Fault) as caught:
        recover_address(DIGEST, spelled(r, 1, 27))
    assert caught.value.code is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33), "00" * 32, None])
def test_only_digests_of_32_bytes_are_signed_or_recovered(digest: Any) -> None:
    signature = SIGNER.sign_digest(DIGEST)
    for call in (lambda: SIGNER.sign_digest(digest), lambda: recover_address(digest, signature)):
        with pytest.raises(Fault) as caught:
            call()
        assert caught.value.code is ErrorCode.BAD_ARGUMENT
