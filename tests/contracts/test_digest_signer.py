"""One contract for whatever seals: a keystore, AWS KMS over HTTP, and a PKCS#11 token."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing.bounded import BoundedSigner
from signing.ecdsa import address_of_ec_point, address_of_spki
from signing.eip712 import CURVE_ORDER, HALF_ORDER, recover_address, typed_digest
from signing.hsm import HsmSigner, TokenKey, open_hsm_signer, parse_token_uri
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from signing.kms import KmsClient, connect_kms, open_kms_signer
from signing.signer import DigestSigner
from tests.contracts.signers import PIN, SOFTHSM, TOKEN, Token, make_kms_key, softhsm_token
from tests.contracts.sqs_server import sqs_server
from when_to_invest.errors import ErrorCode, Fault

DIGEST = bytes(range(32))
PASSPHRASE = "opens one test's key"  # noqa: S105 - of a key made for a test
KINDS = ("keystore", "kms", "hsm", "bounded")
KEPT = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
digests = st.binary(min_size=32, max_size=32)


@pytest.fixture(scope="session")
def kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with sqs_server(tmp_path_factory.mktemp("kms"), services="kms") as url:
            yield connect_kms(region="us-east-1", endpoint_url=url)


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    yield from softhsm_token(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Where each kind's key lies, once it was made."""
    return {"keystore": tmp_path_factory.mktemp("keys") / "seal.json"}


@pytest.fixture(params=KINDS)
def signer(request: pytest.FixtureRequest, places: dict[str, Any]) -> Iterator[DigestSigner]:
    """Open the kind's key for one test: a token is logged in to once in a process."""
    if request.param == "keystore":
        yield keystore_signer(places["keystore"])
    elif request.param == "bounded":
        yield BoundedSigner(keystore_signer(places["keystore"]))
    elif request.param == "kms":
        client = request.getfixturevalue("kms")
        yield open_kms_signer(client, places.setdefault("kms", make_kms_key(client)))
    else:
        token = request.getfixturevalue("token")
        hsm = open_hsm_signer(places.get("hsm") or token.make_key("contract"), pin=PIN)
        places["hsm"] = token.key("contract")
        yield hsm
        hsm.close()


def keystore_signer(path: Path) -> DigestSigner:
    if not path.exists():
        create_keystore(path, passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR)
    return unlock_keystore(path, passphrase=PASSPHRASE)


def fault_of(call: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        call()
    return caught.value


@KEPT
@given(digests)
def test_what_it_signs_recovers_to_its_address_in_the_one_spelling(
    signer: DigestSigner, digest: bytes
) -> None:
    signature = signer.sign_digest(digest)
    assert recover_address(digest, signature) == signer.address
    assert int(signature[66:130], 16) <= HALF_ORDER
    assert signature == signature.lower()


@KEPT
@given(digests, st.integers(0, 255))
def test_a_changed_bit_in_the_digest_never_verifies(signer: DigestSigner, digest: bytes, bit: int) -> None:
    signature = signer.sign_digest(digest)
    assert not is_by(signer.address, flipped(digest, bit), signature)


@KEPT
@given(digests, st.integers(0, 519))
def test_a_changed_bit_in_the_signature_never_verifies(signer: DigestSigner, digest: bytes, bit: int) -> None:
    signature = signer.sign_digest(digest)
    changed = "0x" + flipped(bytes.fromhex(signature[2:]), bit).hex()
    assert not is_by(signer.address, digest, changed)


def flipped(content: bytes, bit: int) -> bytes:
    return (int.from_bytes(content) ^ 1 << bit).to_bytes(len(content))


def is_by(address: str, digest: bytes, signature: str) -> bool:
    try:
        return recover_address(digest, signature) == address
    except Fault:
        return False


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33), "00" * 32, None])
def test_it_signs_nothing_but_digests(signer: DigestSigner, digest: Any) -> None:
    assert fault_of(lambda: signer.sign_digest(digest)).code is ErrorCode.BAD_ARGUMENT


def test_it_shows_its_address_and_cannot_be_copied(signer: DigestSigner) -> None:
    assert repr(signer).endswith(f"({signer.address})")
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(signer)


def test_eight_threads_sign_at_once_and_every_signature_holds(signer: DigestSigner) -> None:
    made: dict[bytes, str] = {}

    def sign(first: int) -> None:
        for n in range(first, first + 8):
            made[bytes([n]) * 32] = signer.sign_digest(bytes([n]) * 32)

    threads = [threading.Thread(target=sign, args=(8 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 64
    assert all(is_by(signer.address, digest, signature) for digest, signature in made.items())


def test_it_signs_typed_documents(signer: DigestSigner) -> None:
    digest = typed_digest(
        {
            "types": {
                "EIP712Domain": [{"name": "name", "type": "string"}],
                "Note": [{"name": "text", "type": "string"}],
            },
            "primaryType": "Note",
            "domain": {"name": "x"},
            "message": {"text": "y"},
        }
    )
    assert is_by(signer.address, digest, signer.sign_digest(digest))


@dataclass
class LyingKms:
    """The real service's answers, some of them replaced."""

    real: KmsClient
    public: dict[str, Any] | None = None
    known: dict[str, Any] | None = None
    signed: dict[str, Any] | None = None

    def get_public_key(self, **asked: Any) -> Any:
        return self.real.get_public_key(**asked) | (self.public or {})

    def describe_key(self, **asked: Any) -> Any:
        told = self.real.describe_key(**asked)
        return {"KeyMetadata": told["KeyMetadata"] | (self.known or {})}

    def sign(self, **asked: Any) -> Any:
        return self.real.sign(**asked) | (self.signed or {})


def test_kms_finds_a_key_by_alias_and_keeps_to_it_when_the_alias_moves(kms: Any) -> None:
    first, second = make_kms_key(kms), make_kms_key(kms)
    kms.create_alias(AliasName="alias/moving", TargetKeyId=first)
    signer = open_kms_signer(kms, "alias/moving")
    kms.update_alias(AliasName="alias/moving", TargetKeyId=second)
    assert is_by(signer.address, DIGEST, signer.sign_digest(DIGEST))
    assert open_kms_signer(kms, "alias/moving").address != signer.address


def test_kms_without_the_key_says_so(kms: Any) -> None:
    assert fault_of(lambda: open_kms_signer(kms, "alias/nothing")).code is ErrorCode.KEY_MISSING


@pytest.mark.parametrize(
    "changes",
    [
        {"KeySpec": "ECC_NIST_P256"},
        {"KeySpec": "RSA_2048"},
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    ],
)
def test_kms_keys_of_another_kind_are_not_used(kms: Any, changes: dict[str, str]) -> None:
    key = make_kms_key(kms, **changes)
    assert fault_of(lambda: open_kms_signer(kms, key)).code is ErrorCode.BAD_CONFIG


def test_a_disabled_kms_key_neither_opens_nor_signs(kms: Any) -> None:
    key = make_kms_key(kms)
    signer = open_kms_signer(kms, key)
    kms.disable_key(KeyId=key)
    assert fault_of(lambda: signer.sign_digest(DIGEST)).code is ErrorCode.KEY_MISSING
    assert fault_of(lambda: open_kms_signer(kms, key)).code is ErrorCode.BAD_CONFIG


def test_a_service_that_does_not_answer_signs_nothing() -> None:
    client = connect_kms(region="us-east-1", endpoint_url="http://127.0.0.1:9")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        fault = fault_of(lambda: open_kms_signer(client, "alias/seal"))
    assert (fault.code, fault.is_retryable) == (ErrorCode.SERVICE_UNAVAILABLE, True)


def test_a_signature_by_another_key_or_over_another_digest_is_not_passed_on(kms: Any) -> None:
    key, other = make_kms_key(kms), make_kms_key(kms)
    asked = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    by_other = kms.sign(KeyId=other, Message=DIGEST, **asked)["Signature"]
    of_other = kms.sign(KeyId=key, Message=bytes(32), **asked)["Signature"]
    # What one emulator does: it hashes the digest once more.
    hashed_again = kms.sign(KeyId=key, Message=DIGEST, **asked | {"MessageType": "RAW"})["Signature"]
    for wrong in (by_other, of_other, hashed_again, b"", b"0\x00", by_other + b"\x00", by_other[:-1], "text"):
        signer = open_kms_signer(LyingKms(kms, signed={"Signature": wrong}), key)
        assert fault_of(lambda: signer.sign_digest(DIGEST)).code is ErrorCode.BAD_SIGNATURE  # noqa: B023


@pytest.mark.parametrize("changes", [{"KeyId": "arn:aws:kms:x"}, {"SigningAlgorithm": "ECDSA_SHA_512"}])
def test_an_answer_about_another_key_or_algorithm_is_refused(kms: Any, changes: dict[str, str]) -> None:
    signer = open_kms_signer(LyingKms(kms, signed=changes), make_kms_key(kms))
    assert fault_of(lambda: signer.sign_digest(DIGEST)).code is ErrorCode.BAD_SIGNATURE


def test_a_public_key_that_does_not_fit_is_refused(kms: Any) -> None:
    key = make_kms_key(kms)
    true = kms.get_public_key(KeyId=key)["PublicKey"]
    off_curve = true[:-1] + bytes([true[-1] ^ 1])
    for wrong in (b"", true[:-1], true + b"\x00", off_curve, b"\x31" + true[1:]):
        client = LyingKms(kms, public={"PublicKey": wrong})
        assert fault_of(lambda: open_kms_signer(client, key)).code is ErrorCode.BAD_CONFIG  # noqa: B023
    for public in ({"KeyId": "another"}, {"KeySpec": "RSA_2048"}, {"SigningAlgorithms": []}):
        client = LyingKms(kms, public=public)
        assert fault_of(lambda: open_kms_signer(client, key)).code is ErrorCode.BAD_CONFIG  # noqa: B023


def test_a_public_key_of_another_key_signs_nothing(kms: Any) -> None:
    key, other = make_kms_key(kms), make_kms_key(kms)
    wrong = kms.get_public_key(KeyId=other)["PublicKey"]
    signer = open_kms_signer(LyingKms(kms, public={"PublicKey": wrong}), key)
    assert fault_of(lambda: signer.sign_digest(DIGEST)).code is ErrorCode.BAD_SIGNATURE


def test_any_changed_bit_of_a_public_key_gives_no_key_or_another_address(kms: Any) -> None:
    true = kms.get_public_key(KeyId=make_kms_key(kms))["PublicKey"]
    address = address_of_spki(true)
    for bit in range(8 * len(true)):
        try:
            assert address_of_spki(flipped(true, bit)) != address
        except Fault as fault:
            assert fault.code is ErrorCode.BAD_CONFIG  # noqa: PT017 - refusing is one of two right answers


def test_an_hsm_key_is_opened_by_its_pin_alone(token: Token) -> None:
    key = token.make_key("pinned")
    for wrong in ("0000", "", "x" * 300):
        fault = fault_of(lambda: open_hsm_signer(key, pin=wrong))  # noqa: B023
        assert fault.code is ErrorCode.WRONG_PASSPHRASE
        assert not wrong or wrong not in fault.message


@pytest.mark.parametrize(
    ("label", "changes"),
    [
        ("extractable", {"extractable": True}),
        ("readable", {"sensitive": False}),
        ("signless", {"sign": False}),
    ],
)
def test_an_hsm_key_that_could_leave_or_cannot_sign_is_not_used(
    token: Token, label: str, changes: dict[str, bool]
) -> None:
    key = token.make_key(label, **changes)
    assert fault_of(lambda: open_hsm_signer(key, pin=PIN)).code is ErrorCode.BAD_CONFIG


def test_an_hsm_key_on_another_curve_is_not_used(token: Token) -> None:
    key = token.make_key("nist", curve="secp256r1")
    assert fault_of(lambda: open_hsm_signer(key, pin=PIN)).code is ErrorCode.BAD_CONFIG


def test_an_absent_token_key_or_library_is_named(token: Token) -> None:
    for key in (
        token.key("nothing"),
        TokenKey(str(SOFTHSM), "elsewhere", "seal"),
        TokenKey("/nowhere/lib.so", "gate", "seal"),
    ):
        assert fault_of(lambda: open_hsm_signer(key, pin=PIN)).code is ErrorCode.KEY_MISSING  # noqa: B023


def test_two_hsm_keys_of_one_label_are_no_key(token: Token) -> None:
    token.make_key("twice")
    key = token.make_key("twice")
    assert fault_of(lambda: open_hsm_signer(key, pin=PIN)).code is ErrorCode.KEY_MISSING


def test_a_closed_token_signs_nothing(token: Token) -> None:
    token.make_key("closing")
    signer = token.opened("closing")
    signer.close()
    assert fault_of(lambda: signer.sign_digest(DIGEST)).code is ErrorCode.SERVICE_UNAVAILABLE


def test_a_token_that_went_away_signs_again_when_it_is_back(token: Token) -> None:
    token.make_key("pulled")
    signer = token.opened("pulled")
    with token.away():
        for _ in range(2):
            fault = fault_of(lambda: signer.sign_digest(DIGEST))
            assert (fault.code, fault.is_retryable) == (ErrorCode.SERVICE_UNAVAILABLE, True)
    assert is_by(signer.address, DIGEST, signer.sign_digest(DIGEST))
    signer.close()


def test_a_token_that_comes_back_with_another_key_signs_nothing(token: Token, tmp_path: Path) -> None:
    token.make_key("swapped")
    signer = token.opened("swapped")
    with token.away():
        fault_of(lambda: signer.sign_digest(DIGEST))
    with pkcs11.lib(str(SOFTHSM)).get_token(token_label=TOKEN).open(rw=True, user_pin=PIN) as session:
        for key in list(session.get_objects({pkcs11.Attribute.LABEL: "swapped"})):
            key.destroy()
    token.make_key("swapped")
    fault = fault_of(lambda: signer.sign_digest(DIGEST))
    assert (fault.code, "another key" in fault.message) == (ErrorCode.BAD_CONFIG, True)


def test_a_pin_that_opens_no_longer_is_tried_once_because_tokens_lock(token: Token) -> None:
    key = token.make_key("repinned")
    signer = open_hsm_signer(key, pin=PIN)
    with token.away():
        fault_of(lambda: signer.sign_digest(DIGEST))
    tried = []

    def refuse() -> HsmSigner:
        tried.append(1)
        return open_hsm_signer(key, pin="0000")

    signer._reopen = refuse
    codes = [fault_of(lambda: signer.sign_digest(DIGEST)).code for _ in range(3)]
    assert codes == [
        ErrorCode.WRONG_PASSPHRASE,
        ErrorCode.SERVICE_UNAVAILABLE,
        ErrorCode.SERVICE_UNAVAILABLE,
    ]
    assert tried == [1]


def test_half_of_the_tokens_own_signatures_have_a_high_s(token: Token) -> None:
    """What the contract guards against is real: bare signatures of the token are unusable."""
    token.make_key("bare")
    signer = token.opened("bare")
    private = signer._private
    raw = [bytes(private.sign(bytes([n]) * 32, mechanism=pkcs11.Mechanism.ECDSA)) for n in range(40)]
    signer.close()
    assert any(int.from_bytes(item[32:]) > HALF_ORDER for item in raw)
    assert all(int.from_bytes(item[32:]) < CURVE_ORDER for item in raw)


def test_a_point_is_read_wrapped_or_bare_and_in_no_third_way(kms: Any) -> None:
    spki = kms.get_public_key(KeyId=make_kms_key(kms))["PublicKey"]
    point = spki[-65:]
    assert address_of_ec_point(point) == address_of_ec_point(b"\x04\x41" + point) == address_of_spki(spki)
    for wrong in (point[1:], b"\x02" + point[1:33], b"\x04\x42" + point, b"\x04\x41" + point + b"\x00", b""):
        assert fault_of(lambda: address_of_ec_point(wrong)).code is ErrorCode.BAD_CONFIG  # noqa: B023


def test_a_token_address_names_token_object_and_library() -> None:
    assert parse_token_uri("pkcs11:token=my%20hsm;object=seal?module-path=/usr/lib/p11.so") == TokenKey(
        "/usr/lib/p11.so", "my hsm", "seal"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:",
        "pkcs11:token=a;object=b",
        "pkcs11:token=a;object=b?module-path=lib.so",
        "pkcs11:token=a;token=a;object=b?module-path=/lib.so",
        "pkcs11:token=a;object=b?module-path=/lib.so&pin-value=1234",
        "pkcs11:token=;object=b?module-path=/lib.so",
    ],
)
def test_other_token_addresses_are_refused(uri: str) -> None:
    fault = fault_of(lambda: parse_token_uri(uri))
    assert (fault.code, "1234" in fault.message) == (ErrorCode.BAD_CONFIG, False)


def test_the_tests_keep_their_tokens_to_themselves(token: Token, tmp_path_factory: Any) -> None:
    assert any(Path(tmp_path_factory.getbasetemp()).glob("softhsm*/tokens/*"))
