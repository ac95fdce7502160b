"""The sealing key lies where the configuration says, and is trusted where it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from home.paths import Home
from home.settings import read_settings
from home.signing import SigningSettings
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore
from signing.places import configured_seals, kms_key, open_seal, trusted_seals
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "of one test"  # noqa: S105 - opens keys made for it
ELSEWHERE = "0x" + "Ab" * 20


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def keystore(home: Home, name: str) -> str:
    path = home.keys / f"{name}.json"
    return create_keystore(path, passphrase=PASSPHRASE, name=name, work_factor=LIGHTEST_WORK_FACTOR)


def test_without_a_word_it_is_the_homes_own_keystore(home: Home) -> None:
    address = keystore(home, "seal")
    assert open_seal(home, SigningSettings(), secret=PASSPHRASE).address == address
    assert trusted_seals(home, SigningSettings()) == {address}


def test_a_named_keystore_seals_and_the_founding_one_stays_trusted(home: Home) -> None:
    founding, following = keystore(home, "seal"), keystore(home, "seal-2")
    settings = SigningSettings(seal="keystore:seal-2")
    assert open_seal(home, settings, secret=PASSPHRASE).address == following
    assert trusted_seals(home, settings) == {founding}


def test_a_key_elsewhere_is_trusted_by_its_address_alone(home: Home) -> None:
    settings = SigningSettings(seal="kms:seal", trusted_seals=(ELSEWHERE,))
    assert trusted_seals(home, settings) == {ELSEWHERE}
    assert configured_seals(home, SigningSettings(seal="kms:seal")) == frozenset()
    with pytest.raises(Fault, match="no sealing key") as caught:
        trusted_seals(home, SigningSettings(seal="kms:seal"))
    assert caught.value.code is ErrorCode.KEY_MISSING


@pytest.mark.parametrize("seal", ["keystore", "keystore:other", "pkcs11:token=a;object=b?module-path=/l.so"])
def test_no_key_opens_without_its_secret(home: Home, seal: str) -> None:
    with pytest.raises(Fault) as caught:
        open_seal(home, SigningSettings(seal=seal), secret=None)
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("seal", "asked"),
    [
        ("kms:seal", "alias/seal"),
        ("kms:alias/seal", "alias/seal"),
        ("kms:arn:aws:kms:eu-west-1:1:key/2", "arn:aws:kms:eu-west-1:1:key/2"),
    ],
)
def test_a_bare_word_is_an_alias(seal: str, asked: str) -> None:
    assert kms_key(seal) == asked


@pytest.mark.parametrize(
    "line",
    ['seal = "vault:x"', 'seal = "keystore:../x"', 'seal = "kms:"', "chain_id = 0", 'pin = "1234"'],
)
def test_what_cannot_be_meant_refuses_to_start(home: Home, line: str) -> None:
    home.config.write_text(f"[signing]\n{line}\n")
    with pytest.raises(Fault) as caught:
        read_settings(home)
    assert caught.value.code in {ErrorCode.BAD_CONFIG, ErrorCode.UNKNOWN_CONFIG_KEY}
    assert "1234" not in caught.value.message


def test_an_absent_keystore_is_named(home: Home) -> None:
    with pytest.raises(Fault) as caught:
        open_seal(home, SigningSettings(seal="keystore:seal-2"), secret=PASSPHRASE)
    assert caught.value.code is ErrorCode.KEY_MISSING
