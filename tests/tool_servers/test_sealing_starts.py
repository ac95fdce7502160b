"""A sealing key that cannot be used keeps the orders server from starting, with one error that says why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from home.clock import ReplayClock
from home.paths import Home
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore
from tool_servers.access import Callers
from tool_servers.orders.main import run
from tool_servers.serving import Address, LaunchSecrets
from when_to_invest.errors import ErrorCode, Fault

PIN = "planted-pin"
NOBODY_LISTENS = "http://127.0.0.1:9"
NO_LIBRARY = "pkcs11:token=a;object=b?module-path=/nowhere/lib.so"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    made = Home(tmp_path / "home").make()
    ReplayClock(made.clock).move_to(datetime(2018, 6, 4, 22, tzinfo=UTC))
    create_keystore(made.keys / "seal.json", passphrase=PIN, name="seal", work_factor=LIGHTEST_WORK_FACTOR)
    create_keystore(made.keys / "other.json", passphrase=PIN, name="other", work_factor=LIGHTEST_WORK_FACTOR)
    return made


def start(home: Home, seal: str, *, secret: str = PIN) -> Fault:
    home.config.write_text(f'[signing]\nseal = "{seal}"\nendpoint_url = "{NOBODY_LISTENS}"\n')
    with pytest.raises(Fault) as caught:
        run(home, http=Address("127.0.0.1", 0), secrets=LaunchSecrets(Callers({}), secret))
    fault = caught.value
    assert fault.fix
    assert PIN not in fault.message + fault.fix
    return fault


@pytest.mark.parametrize(
    ("seal", "secret", "code", "words"),
    [
        ("keystore", "wrong", ErrorCode.WRONG_PASSPHRASE, "seal.json"),
        ("keystore:absent", PIN, ErrorCode.KEY_MISSING, "absent.json"),
        ("keystore:other", PIN, ErrorCode.KEY_MISSING, "not trusted here now"),
        ("kms:seal", "", ErrorCode.UNAUTHENTICATED, "no AWS credentials"),
        (NO_LIBRARY, PIN, ErrorCode.KEY_MISSING, "library"),
        ("pkcs11:token=a", PIN, ErrorCode.BAD_CONFIG, "pkcs11"),
    ],
)
def test_each_fault_of_a_sealing_key_is_told_apart(
    home: Home, seal: str, secret: str, code: ErrorCode, words: str
) -> None:
    fault = start(home, seal, secret=secret)
    assert (fault.code, words in fault.message) == (code, True), fault.message


def test_a_key_service_that_is_down_is_an_outage_that_may_pass(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    fault = start(home, "kms:seal")
    assert (fault.code, fault.is_retryable) == (ErrorCode.SERVICE_UNAVAILABLE, True)
