"""Whatever goes wrong when people sign: one error says what, why and how to fix it; nothing changes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from cli.approver_keys import keystore_of
from cli.main import main
from home.clock import ReplayClock
from home.paths import Home
from ledger.verify import verify_journal
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from tests.tool_servers.bench import NOW, proposal
from tests.tool_servers.open_server import opened
from tool_servers.access import OPERATOR, Callers, token_hash
from tool_servers.admission import Access
from tool_servers.orders.main import build, open_desk
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "of one test"  # noqa: S105 - opens keys made for it
SECRET_WORDS = (PASSPHRASE, "no such passphrase")
WALLET = Account.from_key(bytes(31) + b"\x2a")
HERE = ("alice", "bob", "removed", "ended")
ENDS = NOW + timedelta(minutes=30)
OPERATORS_TOKEN = "operator-token"  # noqa: S105 - of one test


@dataclass
class Desk:
    """A home with two held decisions behind real services, and an approver at the command line."""

    home: Home
    lent: Path
    decisions: list[str] = field(default_factory=list)

    @property
    def held(self) -> str:
        return self.decisions[0]

    def key(self, name: str) -> Path:
        return keystore_of(self.home, name)

    def document(self, subject: str) -> Path:
        path = self.home.root / f"{subject}.json"
        told = ["approvals", "export", subject, "--out", str(path), "--home", str(self.home.root)]
        assert main(told) == 0
        return path


def by_wallet(document: Path) -> str:
    told = json.loads(document.read_text())
    return "0x" + Account.sign_typed_data(WALLET.key, full_message=told).signature.hex()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("mistakes")
    home, lent = Home(root / "home").make(), root / "passphrase"
    lent.write_text(PASSPHRASE + "\n")
    lines = [f'wallet = "{WALLET.address}"']
    for name in HERE:
        address = create_keystore(
            keystore_of(home, name), passphrase=PASSPHRASE, name=name, work_factor=LIGHTEST_WORK_FACTOR
        )
        lines.append(f'{name} = "{address}"')
    home.config.write_text(
        "[approvers]\n" + "\n".join(lines) + f"\n[signing.approvers_until]\nended = {ENDS.isoformat()}\n"
    )
    seal = home.keys / "seal.json"
    create_keystore(seal, passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR)
    ReplayClock(home.clock).move_to(NOW)
    gate = open_desk(home, signer=unlock_keystore(seal, passphrase=PASSPHRASE))
    callers = Callers({token_hash(OPERATORS_TOKEN): OPERATOR})
    with opened(lambda url: build(gate, access=Access(url, callers))) as url:
        home.run.mkdir(exist_ok=True)
        (home.run / "services.json").write_text(json.dumps({"orders": {"url": url, "pid": 1}}))
        (home.run / "operator.token").write_text(OPERATORS_TOKEN)
        made = Desk(home, lent)
        for number, amount in enumerate(("21000", "12000")):
            answer = gate.propose(proposal(amount, request_id=f"r-{number}"), caller="agent")
            assert answer.verdict == "held"
            made.decisions.append(answer.decision_id)
        run = ("--home", str(home.root), "--passphrase-file", str(lent), "--json")
        assert main(["approvals", "remove", "removed", *run[:2], "--json"]) == 0
        for name in ("alice", "bob"):
            assert main(["approvals", "sign", "remove-removed", "--as", name, *run]) == 0
        yield made
    gate.journal.close()


@pytest.fixture
def refused(desk: Desk, capfd: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run a command that must fail; return its one error after checking that nothing else happened."""

    def run(*arguments: str) -> dict[str, Any]:
        before = verify_journal(desk.home.journal).head
        capfd.readouterr()
        status = main([*arguments, "--home", str(desk.home.root), "--json"])
        told = capfd.readouterr()
        error: dict[str, Any] = json.loads(told.out)["error"]
        assert status == Fault(ErrorCode(error["code"]), "", fix="").exit_status != 0
        assert set(error) == {"code", "message", "fix", "retryable"}
        assert len(error["message"]) > 10
        assert len(error["fix"]) > 10
        for secret in SECRET_WORDS:
            assert secret not in told.out + told.err
        assert "Traceback" not in told.err
        assert verify_journal(desk.home.journal).head == before
        return error

    return run


Refused = Callable[..., dict[str, Any]]


def signing(desk: Desk, name: str, *more: str) -> list[str]:
    return ["approvals", "sign", desk.held, "--as", name, "--passphrase-file", str(desk.lent), *more]


def test_a_removed_approver_is_told_so(desk: Desk, refused: Refused) -> None:
    error = refused(*signing(desk, "removed"))
    assert (error["code"], "removed" in error["message"]) == ("bad_approval", True)


def test_an_approver_whose_vote_has_ended_is_told_when(desk: Desk, refused: Refused) -> None:
    ReplayClock(desk.home.clock).move_to(ENDS)
    error = refused(*signing(desk, "ended"))
    assert error["code"] == "bad_approval"
    assert "2018-06-04T21:35:00Z" in error["message"]


def test_a_stranger_has_no_key_here_and_a_borrowed_one_does_not_count(desk: Desk, refused: Refused) -> None:
    assert refused(*signing(desk, "mallory"))["code"] == "key_missing"
    kept = desk.key("bob").read_bytes()
    try:
        desk.key("bob").write_bytes(desk.key("alice").read_bytes())
        error = refused(*signing(desk, "bob"))
    finally:
        desk.key("bob").write_bytes(kept)
    assert (error["code"], "approver's key" in error["message"]) == ("bad_approval", True)


@contextmanager
def spoilt(desk: Desk, change: Callable[[Path], object]) -> Iterator[None]:
    path = desk.key("alice")
    kept, mode = path.read_bytes(), path.stat().st_mode
    change(path)
    try:
        yield
    finally:
        if path.is_dir():
            path.rmdir()
        path.touch()
        path.chmod(mode)
        path.write_bytes(kept)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def strip(path: Path) -> None:
    told = json.loads(path.read_text())
    del told["crypto"]["mac"]
    path.write_text(json.dumps(told))


def relabel(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"address": "00" * 20}))


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (Path.unlink, "key_missing", "approver-alice.json"),
        (replace_by_a_folder, "key_missing", "cannot be read"),
        (truncate, "corrupt_data", "not a usable keystore"),
        (strip, "corrupt_data", "not a usable keystore"),
        (relabel, "corrupt_data", "not a usable keystore"),
        (lambda path: path.write_bytes(b""), "corrupt_data", "not a usable keystore"),
        (lambda path: path.write_bytes(b"\xff" * 90), "corrupt_data", "not a usable keystore"),
        (lambda path: path.chmod(0o644), "bad_config", "open to other users"),
        (lambda path: path.chmod(0o640), "bad_config", "open to other users"),
    ],
)
def test_a_keystore_that_cannot_be_used_is_named_with_its_fault(
    desk: Desk, refused: Refused, change: Callable[[Path], object], code: str, words: str
) -> None:
    with spoilt(desk, change):
        error = refused(*signing(desk, "alice"))
        assert (error["code"], words in error["message"]) == (code, True), error


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads every file")
def test_a_keystore_that_may_not_be_read_is_named(desk: Desk, refused: Refused) -> None:
    with spoilt(desk, lambda path: path.chmod(0)):
        assert refused(*signing(desk, "alice"))["code"] == "key_missing"


def test_a_wrong_passphrase_is_told_apart_and_never_repeated(desk: Desk, refused: Refused) -> None:
    wrong = desk.home.root / "wrong"
    asked = ["approvals", "sign", desk.held, "--as", "alice", "--passphrase-file", str(wrong)]
    assert refused(*asked)["code"] == "bad_argument"
    wrong.write_text("")
    assert refused(*asked)["code"] == "bad_argument"
    wrong.write_bytes(b"\xff\xfe")
    assert refused(*asked)["code"] == "bad_argument"
    wrong.write_text("no such passphrase\n")
    assert refused(*asked)["code"] == "wrong_passphrase"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("keystore:alice", "bad_argument"),
        ("", "bad_argument"),
        ("pkcs11:token=a", "bad_config"),
        ("pkcs11:token=a;object=b?module-path=/nowhere/lib.so", "key_missing"),
        ("pkcs11:token=a;object=b?module-path=/nowhere/lib.so&pin-value=1", "bad_config"),
    ],
)
def test_a_key_elsewhere_that_cannot_be_meant_is_refused(
    desk: Desk, refused: Refused, place: str, code: str
) -> None:
    assert refused(*signing(desk, "alice", "--key", place))["code"] == code


def test_a_decision_that_waits_for_nobody_is_unknown(desk: Desk, refused: Refused) -> None:
    for subject in ("d-" + "0" * 24, "d-", "d-../../etc"):
        asked = ["approvals", "sign", subject, "--as", "alice", "--passphrase-file", str(desk.lent)]
        assert refused(*asked)["code"] == "unknown_decision"


def edited(path: Path, **changes: dict[str, object]) -> Path:
    """Return a document with some values changed, as a dishonest machine between might."""
    told = json.loads(path.read_text())
    for part, values in changes.items():
        told[part] |= values
    path.write_text(json.dumps(told))
    return path


def importing(
    desk: Desk, document: Path, *, approver: str = "wallet", signature: str | None = None
) -> list[str]:
    made = signature or by_wallet(document)
    return ["approvals", "import", desk.held, str(document), "--as", approver, "--signature", made]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"domain": {"chainId": 1}}, "chain id 1, and this home uses"),
        ({"domain": {"salt": "0x" + "00" * 32}}, "another home"),
        ({"message": {"worstTotal": "at most 1 USD without fees"}}, "(look at worstTotal)"),
        ({"message": {"intentHash": "0x" + "11" * 32}}, "(look at intentHash)"),
        ({"message": {"decisionId": "d-" + "1" * 24}}, "(look at decisionId)"),
        ({"message": {"expiresAt": "2018-06-04 20:00:00 UTC"}}, "expired at 2018-06-04T20:00:00Z"),
        ({"message": {"expiresAt": "2028-06-04 20:00:00 UTC"}}, "outlives"),
        ({"message": {"expiresAt": "tomorrow"}}, "names no expiry"),
    ],
)
def test_a_signature_for_anything_else_says_what_it_was_for(
    desk: Desk, refused: Refused, changes: dict[str, dict[str, object]], words: str
) -> None:
    document = edited(desk.document(desk.held), **changes)
    error = refused(*importing(desk, document))
    assert words in error["message"], error
    assert error["code"] in {"bad_approval", "bad_argument"}


def test_a_signature_for_another_decision_of_this_home_is_refused(desk: Desk, refused: Refused) -> None:
    error = refused(*importing(desk, desk.document(desk.decisions[1])))
    assert (error["code"], "(look at decisionId)" in error["message"]) == ("bad_approval", True)


def test_a_signature_by_another_key_or_for_an_honest_document_but_edited_later_is_refused(
    desk: Desk, refused: Refused
) -> None:
    document = desk.document(desk.held)
    honest = by_wallet(document)
    assert refused(*importing(desk, document, approver="alice", signature=honest))["code"] == "bad_signature"
    assert refused(*importing(desk, document, approver="removed", signature=honest))["code"] == "bad_approval"
    told = json.loads(document.read_text())["message"]["expiresAt"]
    later = edited(document, message={"expiresAt": told.replace("22:", "23:")})
    error = refused(*importing(desk, later, signature=honest))
    assert (error["code"], "key of wallet" in error["message"]) == ("bad_signature", True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"types": 1}', b" " * 100_000])
def test_a_file_that_is_no_document_is_named(desk: Desk, refused: Refused, content: bytes) -> None:
    path = desk.home.root / "broken.json"
    path.write_bytes(content)
    error = refused(*importing(desk, path, signature="0x" + "11" * 65))
    assert (error["code"], "broken.json" in error["message"]) == ("bad_argument", True)
    assert refused(*importing(desk, path.with_name("absent.json"), signature="0x"))["code"] == "bad_argument"


def test_without_services_a_signature_says_what_to_start(
    desk: Desk, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.home.run / "services.json"
    kept = services.read_text()
    services.write_text(json.dumps({"orders": {"url": "http://127.0.0.1:9/mcp", "pid": 1}}))
    try:
        error = refused(*signing(desk, "alice"))
    finally:
        services.write_text(kept)
    assert (error["code"], error["retryable"]) == ("service_unavailable", True)
    assert "when-to-invest up" in error["fix"]


def test_after_all_these_mistakes_the_decision_is_still_there_to_be_signed(desk: Desk) -> None:
    run = ["--home", str(desk.home.root), "--json"]
    assert main([*signing(desk, "alice"), *run]) == 0
    assert main([*importing(desk, desk.document(desk.held)), *run]) == 0
    assert verify_journal(desk.home.journal).ok
