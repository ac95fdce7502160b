"""Ballots, wallets and sealing keys from the command line, on a home that was founded once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from cli.main import main
from executor.main import run as run_executor
from home.clock import ReplayClock
from home.paths import Home
from signing.eip712 import CURVE_ORDER
from signing.keystore import LIGHTEST_WORK_FACTOR, KeystoreSigner, create_keystore, unlock_keystore
from tests.policies.electing import KEYS
from tests.tool_servers.bench import NOW
from tool_servers.orders.main import demand_trusted, open_desk
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "of one test"  # noqa: S105 - opens keys made for it
WALLET = KEYS["carol"]


@dataclass
class Office:
    """A home with three founders: two keys lie here, one in a wallet elsewhere."""

    home: Home
    capture: pytest.CaptureFixture[str]
    passphrase: Path

    def run(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        self.capture.readouterr()
        assert main([*arguments, "--home", str(self.home.root), "--json"]) == status
        told: dict[str, Any] = json.loads(self.capture.readouterr().out)
        return told

    def refused(self, *arguments: str, status: int = 1) -> dict[str, str]:
        error: dict[str, str] = self.run(*arguments, status=status)["error"]
        return error

    def sign(self, subject: str, name: str) -> dict[str, Any]:
        return self.run("approvals", "sign", subject, "--as", name, "--passphrase-file", str(self.passphrase))

    def exported(self, subject: str, **domain: object) -> Path:
        path = self.home.root / "document.json"
        self.capture.readouterr()
        assert main(["approvals", "export", subject, "--out", str(path), "--home", str(self.home.root)]) == 0
        document = json.loads(path.read_text())
        document["domain"] |= domain
        path.write_text(json.dumps(document))
        return path


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    home = Home(tmp_path / "home").make()
    lines = ["[approvers]", f'carol = "{WALLET.address}"']
    for name in ("alice", "bob"):
        path = home.keys / f"approver-{name}.json"
        address = create_keystore(path, passphrase=PASSPHRASE, name=name, work_factor=LIGHTEST_WORK_FACTOR)
        lines.append(f'{name} = "{address}"')
    home.config.write_text("\n".join(lines) + "\n")
    seal = home.keys / "seal.json"
    create_keystore(seal, passphrase=PASSPHRASE, name="seal", work_factor=LIGHTEST_WORK_FACTOR)
    ReplayClock(home.clock).move_to(NOW)
    desk = open_desk(home, signer=unlock_keystore(seal, passphrase=PASSPHRASE))
    desk.journal.close()
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    return Office(home, capsys, passphrase)


def by_wallet(document: Path, key: KeystoreSigner = WALLET) -> str:
    """Return what a wallet elsewhere answers to `eth_signTypedData_v4`."""
    secret = next(21 + n for n, known in enumerate(KEYS.values()) if known is key).to_bytes(32)
    return (
        "0x" + Account.sign_typed_data(secret, full_message=json.loads(document.read_text())).signature.hex()
    )


def names(office: Office) -> dict[str, str]:
    return {row["name"]: row["standing"] for row in office.run("approvals", "list")["approvers"]}


def ask_for_dave(office: Office) -> None:
    told = office.run("approvals", "enrol", "dave", "--address", KEYS["dave"].address)
    assert (told["subject"], told["needed"], told["signed_by"]) == ("enrol-dave", 2, [])


def test_two_people_enrol_a_third_and_two_take_the_vote_away_again(office: Office) -> None:
    ask_for_dave(office)
    assert office.sign("enrol-dave", "alice")["done"] is False
    assert "dave" not in names(office)
    assert office.sign("enrol-dave", "bob")["done"] is True
    assert names(office)["dave"] == "votes"
    office.run("approvals", "remove", "dave")
    office.sign("remove-dave", "alice")
    assert office.sign("remove-dave", "bob")["done"] is True
    assert "dave" not in names(office)


def test_who_asks_and_who_rejects_is_somebody_known_here(office: Office) -> None:
    asked = ("approvals", "enrol", "dave", "--address", KEYS["dave"].address)
    assert office.refused(*asked, "--by", "mallory", status=2)["code"] == "bad_argument"
    ask_for_dave(office)
    error = office.refused("approvals", "reject", "enrol-dave", "--as", "mallory", status=2)
    assert "alice, bob, carol, operator" in error["fix"]
    office.run("approvals", "reject", "enrol-dave", "--as", "alice")
    assert (
        office.refused("approvals", "sign", "enrol-dave", "--as", "alice", status=2)["code"] == "bad_argument"
    )


def test_a_wallet_elsewhere_signs_the_exported_document(office: Office) -> None:
    ask_for_dave(office)
    office.sign("enrol-dave", "alice")
    document = office.exported("enrol-dave")
    signature = by_wallet(document)
    told = office.run(
        "approvals", "import", "enrol-dave", str(document), "--as", "carol", "--signature", signature.upper()
    )
    assert told["done"] is True


def high_s(signature: str) -> str:
    raw = bytes.fromhex(signature[2:])
    s = (CURVE_ORDER - int.from_bytes(raw[32:64])).to_bytes(32)
    return "0x" + (raw[:32] + s + bytes([55 - raw[64]])).hex()


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (high_s, "bad_signature", "accepted half"),
        (lambda _: "0x1234", "bad_signature", "130 hex digits"),
        (lambda text: text[:-2] + "1d", "bad_signature", "27 nor 28"),
        (lambda text: text[:10] + ("0" if text[10] != "0" else "1") + text[11:], "bad_signature", ""),
    ],
)
def test_a_spoilt_signature_has_one_clear_error(office: Office, spoil: Any, code: str, words: str) -> None:
    ask_for_dave(office)
    document = office.exported("enrol-dave")
    spoilt = spoil(by_wallet(document))
    error = office.refused(
        "approvals", "import", "enrol-dave", str(document), "--as", "carol", "--signature", spoilt
    )
    assert error["code"] == code
    assert words in error["message"]


@pytest.mark.parametrize(
    ("domain", "words"),
    [({"chainId": 1}, "chain id 1,"), ({"salt": "0x" + "00" * 32}, "another home")],
)
def test_a_document_for_another_chain_or_home_is_told_apart(
    office: Office, domain: dict[str, object], words: str
) -> None:
    ask_for_dave(office)
    document = office.exported("enrol-dave", **domain)
    error = office.refused(
        "approvals",
        "import",
        "enrol-dave",
        str(document),
        "--as",
        "carol",
        "--signature",
        by_wallet(document),
    )
    assert (error["code"], words in error["message"]) == ("bad_approval", True)


def test_a_changed_document_another_key_and_a_stranger_are_told_apart(office: Office) -> None:
    ask_for_dave(office)
    document = office.exported("enrol-dave")
    asked = ("approvals", "import", "enrol-dave", str(document), "--signature")
    by_erin = by_wallet(document, KEYS["erin"])
    assert "not by the key of carol" in office.refused(*asked, by_erin, "--as", "carol")["message"]
    assert "no approver" in office.refused(*asked, by_erin, "--as", "erin")["message"]
    changed = json.loads(document.read_text())
    changed["message"]["approver"] = "erin"
    document.write_text(json.dumps(changed))
    error = office.refused(*asked, by_wallet(document), "--as", "carol")
    assert "its message is not what this home shows" in error["message"]


def test_a_key_that_was_exchanged_may_stay_in_the_configuration_and_is_told_of(office: Office) -> None:
    office.run("approvals", "remove", "carol")
    for name in ("alice", "bob"):
        office.sign("remove-carol", name)
    office.run("approvals", "enrol", "carol", "--address", KEYS["dave"].address)
    for name in ("alice", "bob"):
        office.sign("enrol-carol", name)
    told = {row["name"]: row for row in office.run("approvals", "list")["approvers"]}
    assert told["carol"]["address"] == KEYS["dave"].address
    assert "config.toml has an earlier key of theirs" in told["carol"]["standing"]
    assert told["alice"]["standing"] == "votes"
    (check,) = [item for item in office.run("doctor")["checks"] if item["name"] == "approvers"]
    assert check["ok"]
    assert "an earlier key of carol" in check["found"]
    assert run_executor(office.home, until_idle=True) == 0
    assert '"event": "earlier_key_configured"' in office.capture.readouterr().err


def test_names_written_into_the_configuration_later_refuse_to_start(office: Office) -> None:
    text = office.home.config.read_text()
    office.home.config.write_text(text + f'dave = "{KEYS["dave"].address}"\n')
    told = [office.refused("approvals", "list", status=2), office.refused("status", status=2)]
    for start in (
        lambda: open_desk(office.home, signer=KEYS["erin"]),
        lambda: run_executor(office.home, until_idle=True),
    ):
        with pytest.raises(Fault) as caught:
            start()
        told.append({"code": caught.value.code.value, "message": caught.value.message})
    assert {error["code"] for error in told} == {"looser_limit"}
    assert len({error["message"] for error in told}) == 1
    assert "approver dave" in told[0]["message"]
    office.home.config.write_text(text)
    assert "dave" not in names(office)


def test_a_sealing_key_is_rotated_with_overlapping_windows(office: Office) -> None:
    (founding,) = office.run("keys", "list")["keys"]
    assert "would count" in office.refused("keys", "retire", founding["address"], status=2)["message"]
    told = office.run("keys", "add", KEYS["erin"].address)
    desk = open_desk(office.home, signer=KEYS["erin"])
    with pytest.raises(Fault, match="not trusted here") as caught:
        demand_trusted(desk, KEYS["erin"])
    assert caught.value.code is ErrorCode.KEY_MISSING
    office.sign(told["subject"], "alice")
    assert office.sign(told["subject"], "bob")["done"] is True
    desk.ledger.refresh()
    demand_trusted(desk, KEYS["erin"])
    desk.journal.close()
    assert [row["counts"] for row in office.run("keys", "list")["keys"]] == [True, True]
    office.run("keys", "retire", founding["address"], "--at", "2018-06-05T00:00:00+00:00")
    ReplayClock(office.home.clock).move_to(NOW.replace(day=6))
    counts = {row["address"]: row["counts"] for row in office.run("keys", "list")["keys"]}
    assert counts == {founding["address"]: False, KEYS["erin"].address.lower(): True}


def test_a_change_can_be_dropped_and_is_then_unknown(office: Office) -> None:
    ask_for_dave(office)
    assert office.run("approvals", "reject", "enrol-dave", "--as", "alice")["rejected"] is True
    assert "waits" in office.refused("approvals", "show", "enrol-dave", status=2)["message"]
