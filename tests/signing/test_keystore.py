"""Keystores: made once, opened by their passphrase alone, and never showing the key."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
import traceback
from pathlib import Path
from typing import Any

import pytest

from signing import keystore
from signing.eip712 import HALF_ORDER, recover_address
from signing.keystore import (
    LIGHTEST_WORK_FACTOR,
    STANDARD_WORK_FACTOR,
    KeystoreSigner,
    create_keystore,
    keystore_address,
    unlock_keystore,
)
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "correct horse ßattery 電池"  # noqa: S105 - of keys made for a test
DIGEST = bytes(range(32))
SECRET = bytes(31) + b"\x05"


def made(path: Path, passphrase: str = PASSPHRASE) -> str:
    return create_keystore(path, passphrase=passphrase, name="seal", work_factor=LIGHTEST_WORK_FACTOR)


def spoilt(path: Path, **changes: Any) -> Path:
    document = json.loads(path.read_text())
    document["crypto"] = {**document["crypto"], **changes.pop("crypto", {})}
    path.write_text(json.dumps({**document, **changes}))
    return path


def code_of(call: Any) -> ErrorCode:
    with pytest.raises(Fault) as caught:
        call()
    return caught.value.code


def test_a_keystore_opens_with_its_passphrase_and_signs_for_its_address(tmp_path: Path) -> None:
    address = made(tmp_path / "seal.json")
    signer = unlock_keystore(tmp_path / "seal.json", passphrase=PASSPHRASE)
    assert signer.address == address == keystore_address(tmp_path / "seal.json")
    assert recover_address(DIGEST, signer.sign_digest(DIGEST)) == address


def test_it_is_a_version_3_keystore_that_the_reference_library_opens(tmp_path: Path) -> None:
    from eth_account import Account

    address = made(tmp_path / "seal.json")
    secret = Account.decrypt((tmp_path / "seal.json").read_text(), PASSPHRASE)
    assert Account.from_key(secret).address == address


def test_two_keystores_hold_different_keys(tmp_path: Path) -> None:
    assert made(tmp_path / "a.json") != made(tmp_path / "b.json")


def test_only_its_owner_can_read_it_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    made(tmp_path / "keys" / "seal.json")
    assert [item.name for item in (tmp_path / "keys").iterdir()] == ["seal.json"]
    assert stat.S_IMODE((tmp_path / "keys" / "seal.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) & 0o077 == 0


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    address = made(tmp_path / "seal.json")
    before = (tmp_path / "seal.json").read_bytes()
    assert code_of(lambda: made(tmp_path / "seal.json")) is ErrorCode.BAD_ARGUMENT
    assert (tmp_path / "seal.json").read_bytes() == before
    assert keystore_address(tmp_path / "seal.json") == address
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_that_leads_elsewhere_is_not_followed_when_creating(tmp_path: Path) -> None:
    (tmp_path / "seal.json").symlink_to(tmp_path / "elsewhere.json")
    assert code_of(lambda: made(tmp_path / "seal.json")) is ErrorCode.BAD_ARGUMENT
    assert not (tmp_path / "elsewhere.json").exists()


def test_a_full_disk_leaves_no_half_written_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert code_of(lambda: made(tmp_path / "seal.json")) is ErrorCode.STORAGE_FAILED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["", "correct horse", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_a_wrong_passphrase_says_so_and_shows_neither_passphrase_nor_key(tmp_path: Path, wrong: str) -> None:
    made(tmp_path / "seal.json")
    with pytest.raises(Fault) as caught:
        unlock_keystore(tmp_path / "seal.json", passphrase=wrong)
    assert caught.value.code is ErrorCode.WRONG_PASSPHRASE
    told = "".join(traceback.format_exception(caught.value))
    assert caught.value.__suppress_context__
    assert not wrong.strip() or wrong not in told


@pytest.mark.parametrize(
    ("passphrase", "name", "work_factor"),
    [
        ("", "seal", LIGHTEST_WORK_FACTOR),
        (PASSPHRASE, "", LIGHTEST_WORK_FACTOR),
        (PASSPHRASE, "Seal", LIGHTEST_WORK_FACTOR),
        (PASSPHRASE, "../seal", LIGHTEST_WORK_FACTOR),
        (PASSPHRASE, "seal", 512),
        (PASSPHRASE, "seal", 1500),
        (PASSPHRASE, "seal", 2**21),
        (PASSPHRASE, "seal", 0),
        (PASSPHRASE, "seal", -1024),
    ],
)
def test_unusable_arguments_make_no_key(tmp_path: Path, passphrase: str, name: str, work_factor: int) -> None:
    def make() -> str:
        return create_keystore(
            tmp_path / "seal.json", passphrase=passphrase, name=name, work_factor=work_factor
        )

    assert code_of(make) is ErrorCode.BAD_ARGUMENT
    assert list(tmp_path.iterdir()) == []


def test_the_standard_work_factor_is_the_default(tmp_path: Path) -> None:
    create_keystore(tmp_path / "seal.json", passphrase=PASSPHRASE, name="seal")
    params = json.loads((tmp_path / "seal.json").read_text())["crypto"]["kdfparams"]
    assert params["n"] == STANDARD_WORK_FACTOR == 262_144


def test_a_missing_key_says_so(tmp_path: Path) -> None:
    assert code_of(lambda: keystore_address(tmp_path / "no.json")) is ErrorCode.KEY_MISSING
    opening = lambda: unlock_keystore(tmp_path / "no.json", passphrase=PASSPHRASE)  # noqa: E731
    assert code_of(opening) is ErrorCode.KEY_MISSING


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o660])
def test_a_key_that_others_may_read_stays_locked(tmp_path: Path, mode: int) -> None:
    made(tmp_path / "seal.json")
    (tmp_path / "seal.json").chmod(mode)
    opening = lambda: unlock_keystore(tmp_path / "seal.json", passphrase=PASSPHRASE)  # noqa: E731
    assert code_of(opening) is ErrorCode.BAD_CONFIG


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{", '{"address": 5}', '{"address": "0x12"}', "x" * 20_000]
)
def test_what_is_no_keystore_is_called_corrupt(tmp_path: Path, content: str) -> None:
    path = tmp_path / "seal.json"
    path.write_text(content)
    path.chmod(0o600)
    assert code_of(lambda: keystore_address(path)) is ErrorCode.CORRUPT_DATA
    assert code_of(lambda: unlock_keystore(path, passphrase=PASSPHRASE)) is ErrorCode.CORRUPT_DATA


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "11" * 20},
        {"version": 4},
        {"version": None},
        {"crypto": {"kdf": "pbkdf2"}},
        {"crypto": {"kdfparams": None}},
        {"crypto": {"kdfparams": {"n": 2**30, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}},
        {"crypto": {"kdfparams": {"n": 1024, "r": 8, "p": 4096, "dklen": 32, "salt": "00"}}},
        {"crypto": {"kdfparams": {"n": True, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}},
        {"crypto": {"mac": None}},
        {"crypto": {"ciphertext": "zz"}},
        {"crypto": {"cipherparams": {}}},
    ],
)
def test_a_tampered_keystore_stays_locked(tmp_path: Path, changes: dict[str, Any]) -> None:
    made(tmp_path / "seal.json")
    path = spoilt(tmp_path / "seal.json", **changes)
    assert code_of(lambda: unlock_keystore(path, passphrase=PASSPHRASE)) is ErrorCode.CORRUPT_DATA


def test_the_key_is_never_printed_pickled_or_copied() -> None:
    signer = KeystoreSigner(SECRET)
    shown = f"{signer!r} {signer} {[signer]}"
    assert signer.address in shown
    assert SECRET.hex() not in shown
    assert not hasattr(signer, "__dict__")
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(signer)


class _FaultyKey:
    """A key whose signatures are flawed in one chosen way."""

    def __init__(self, flaw: str) -> None:
        from coincurve import PrivateKey

        self._flaw = flaw
        self._key = PrivateKey(SECRET)

    def sign_recoverable(self, digest: bytes, *, hasher: None) -> bytes:
        good = self._key.sign_recoverable(digest, hasher=hasher)
        r, s, v = good[:32], int.from_bytes(good[32:64]), good[64]
        if self._flaw == "high s":
            return r + (keystore.CURVE_ORDER - s).to_bytes(32) + bytes([1 - v])
        return r + (s ^ 2).to_bytes(32) + bytes([v])


def _faulty(flaw: str) -> KeystoreSigner:
    signer = KeystoreSigner(SECRET)
    signer._KeystoreSigner__key = _FaultyKey(flaw)  # type: ignore[attr-defined]
    return signer


def test_a_high_s_that_the_library_returns_is_brought_down() -> None:
    signature = _faulty("high s").sign_digest(DIGEST)
    assert int(signature[66:130], 16) <= HALF_ORDER
    assert recover_address(DIGEST, signature) == KeystoreSigner(SECRET).address


def test_a_faulty_signature_never_leaves_the_signer() -> None:
    assert code_of(lambda: _faulty("wrong s").sign_digest(DIGEST)) is ErrorCode.BAD_SIGNATURE
