"""Going on takes two people who did not ask for it, over exactly what stands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.approver_keys import keystore_of
from cli.main import main
from cli.registry import open_registry
from cli.requesting import machine_user
from executor.main import run
from home.latch import Latch
from policies.remedies import Electorate
from signing.eip712 import recover_address, typed_digest
from signing.keystore import LIGHTEST_WORK_FACTOR, create_keystore, unlock_keystore
from tests.faults.homestead import LIMIT_USD, Homestead
from tests.when_to_invest.tightenings import reducing
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import Fault
from when_to_invest.history import DecisionState
from when_to_invest.intents import decision_id_of
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook

PASSPHRASE = "only for these tests"  # noqa: S105 - opens nothing but throw-away keys
PEOPLE = ("alice", "bob", "carol")


class Home:
    """A home with three approvers, and commands as they type them."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.stead = Homestead(root / "home")
        self.capsys = capsys
        self.secret = root / "passphrase"
        self.secret.write_text(PASSPHRASE)
        self.addresses = {
            name: create_keystore(
                keystore_of(self.stead.home, name),
                passphrase=PASSPHRASE,
                name=name,
                work_factor=LIGHTEST_WORK_FACTOR,
            )
            for name in PEOPLE
        }
        lines = "\n".join(f'{name} = "{address}"' for name, address in self.addresses.items())
        self.stead.configure(f"[approvers]\n{lines}")

    def command(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        status = main([*arguments, "--home", str(self.stead.root), "--json"])
        told: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return status, told

    def sign(self, subject: str, name: str) -> tuple[int, dict[str, Any]]:
        return self.command("remedies", "sign", subject, "--as", name, "--passphrase-file", str(self.secret))

    def halt(self, scope: str = "system") -> None:
        assert self.command("halt", "--scope", scope, "--as", "dave", "--reason", "drill")[0] == 0

    @property
    def book(self) -> AccountBook:
        with open_registry(self.stead.home, is_read_only=True) as registry:
            return registry.ledger.book

    def state(self, decision_id: str) -> DecisionState:
        with open_registry(self.stead.home, is_read_only=True) as registry:
            return registry.ledger.decisions[decision_id].state

    def latches(self) -> int:
        return len(Latch(self.stead.home.halts).read())


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Home]:
    home = Home(tmp_path, capsys)
    yield home
    home.stead.close()


def proposed_after(home: Home) -> str:
    """Return an envelope that only the executor judges: it knows who may lift a halt."""
    gate = home.stead.gate
    intent = gate.intent(2, quantity=Decimal("1.7"), limit_price_usd=LIMIT_USD)
    home.stead.clock.move_to(home.stead.clock.now() + timedelta(seconds=1))
    gate.seal_unjudged(intent)
    return decision_id_of(proposer="agent", request_id=intent.request_id)


def resumed(home: Home, scope: str = "system") -> None:
    assert home.command("resume", "--scope", scope, "--as", "operator")[0] == 0
    assert home.sign(scope, "alice") == (1, {"subject": scope, "signed_by": ["alice"], "missing": 1})
    assert home.sign(scope, "bob") == (0, {"kind": "trading_resumed", "scope": scope, "state": "active"})


def test_two_people_lift_a_halt_and_trading_goes_on(home: Home) -> None:
    home.halt()
    assert home.stead.gate.sealed_if_approved(1) is None
    resumed(home)
    assert home.latches() == 0
    assert home.book.trading_states == {}
    decision_id = proposed_after(home)
    assert run(home.stead.home, until_idle=True) == 0
    assert home.state(decision_id) is DecisionState.WORKING
    assert home.stead.journal_is_sound()


def test_what_was_approved_before_a_halt_does_not_spring_to_life_after_it(home: Home) -> None:
    decision_id = home.stead.propose()
    home.halt()
    resumed(home)
    assert run(home.stead.home, until_idle=True) == 0
    assert home.state(decision_id) is DecisionState.REJECTED
    assert not home.stead.kinds(ev.SendIntended)


def test_whoever_asks_cannot_sign(home: Home) -> None:
    home.halt()
    home.command("resume", "--as", "alice")
    status, told = home.sign("system", "alice")
    assert (status, told["error"]["code"]) == (1, "bad_approval")
    assert home.sign("system", "bob")[1]["missing"] == 1
    assert home.sign("system", "carol")[0] == 0


def test_nobody_unknown_asks_and_the_journal_says_how_who_asked_was_known(home: Home) -> None:
    home.halt()
    status, told = home.command("resume", "--as", "dave")
    assert (status, told["error"]["code"]) == (2, "bad_argument")
    assert "alice, bob, carol, operator" in told["error"]["fix"]
    resumed(home)
    (event,) = home.stead.kinds(ev.TradingResumed)
    assert isinstance(event, ev.TradingResumed)
    assert (event.motion.requester, event.motion.known_by) == ("operator", f"local {machine_user()}")


def test_one_person_does_not_count_twice(home: Home) -> None:
    home.halt()
    home.command("resume", "--as", "operator")
    home.sign("system", "alice")
    status, told = home.sign("system", "alice")
    assert (status, told["error"]["code"]) == (1, "bad_approval")
    assert home.latches() == 1


@pytest.mark.parametrize("scope", ["system", "instrument:GLD"])
def test_a_halt_anywhere_since_makes_the_signatures_void(home: Home, scope: str) -> None:
    home.halt()
    home.command("resume", "--as", "operator")
    home.sign("system", "alice")
    home.halt(scope)
    status, told = home.sign("system", "bob")
    assert (status, told["error"]["code"]) == (1, "bad_approval")
    assert home.book.trading_states["system"] is TradingState.HALTED
    assert home.latches() == 2
    resumed(home)


def test_lifting_one_scope_leaves_the_others_halted(home: Home) -> None:
    home.halt("instrument:SPX")
    home.halt("account:main")
    resumed(home, "instrument:SPX")
    assert home.book.trading_states == {"account:main": TradingState.HALTED}
    assert home.latches() == 1


def test_a_damaged_latch_is_journalled_and_lifted_like_any_other(home: Home) -> None:
    home.stead.home.halts.mkdir(mode=0o700)
    (home.stead.home.halts / "h-0123456789abcdef.json").write_bytes(b"\0")
    resumed(home)
    assert home.latches() == 0


def test_a_wallet_elsewhere_can_sign_the_document_that_is_shown(home: Home) -> None:
    home.halt()
    home.command("resume", "--as", "operator")
    shown = home.command("remedies", "show", "system")[1]["typed_data"]
    for name in ("alice", "bob"):
        signer = unlock_keystore(keystore_of(home.stead.home, name), passphrase=PASSPHRASE)
        wallet = signer.sign_digest(typed_digest(as_wallets_read(shown)))
        brought = ("--address", signer.address, "--signature", wallet)
        status, _ = home.command("remedies", "import", "system", "--as", name, *brought)
    assert status == 0
    assert home.latches() == 0


def as_wallets_read(shown: dict[str, Any]) -> dict[str, Any]:
    domain = {**shown["domain"], "salt": bytes.fromhex(shown["domain"]["salt"][2:])}
    return {**shown, "domain": domain}


def test_a_signature_by_another_key_is_refused_and_not_kept(home: Home) -> None:
    home.halt()
    home.command("resume", "--as", "operator")
    brought = ("--address", home.addresses["alice"], "--signature", "0x" + "1b" * 65)
    status, told = home.command("remedies", "import", "system", "--as", "alice", *brought)
    assert (status, told["error"]["code"]) == (1, "bad_signature")
    assert home.command("remedies", "show", "system")[1]["signed_by"] == []


def test_a_forged_resumption_in_the_journal_lifts_nothing(home: Home) -> None:
    """Whoever can write the journal can still not loosen: every fold checks the signatures."""
    home.halt()
    home.command("resume", "--as", "operator")
    home.sign("system", "alice")
    from cli.petitions import load

    petition = load(home.stead.home, "system")
    standing = home.book.standing
    forged = ev.TradingResumed(
        at=home.stead.clock.now(),
        mode=home.stead.gate.mode,
        scope="system",
        halts_hash=standing.hash_of("system"),
        motion=petition.motion,
        endorsements=petition.endorsements,
    )
    home.stead.journal.append([forged])
    decision_id = home.stead.gate.sealed_if_approved(1)
    assert decision_id is None
    assert run(home.stead.home, until_idle=True) == 0
    assert home.latches() == 1
    assert home.book.trading_states == {"system": TradingState.HALTED}


def test_an_auditor_can_check_a_resumption_from_the_journal_alone(home: Home) -> None:
    home.halt()
    resumed(home)
    (event,) = home.stead.kinds(ev.TradingResumed)
    assert isinstance(event, ev.TradingResumed)
    auditor = Electorate(home.addresses, event.mode, typed_digest, recover_address)
    first = next(iter(home.stead.journal.read()))
    assert auditor.is_warranted(event, first.hash)
    stranger = Electorate({"eve": home.addresses["alice"]}, event.mode, typed_digest, recover_address)
    assert not stranger.is_warranted(event, first.hash)
    assert not auditor.is_warranted(event, "0" * 64)


def quarantined(home: Home) -> str:
    """Return a decision whose order nobody can find."""
    decision_id = home.stead.propose()
    gate, now = home.stead.gate, home.stead.clock.now()
    intent = home.stead.decision(decision_id).intent
    about = {"at": now, "mode": gate.mode, "decision_id": decision_id, "client_order_id": "w" + "0" * 31}
    sent = ev.SendIntended(
        **about,
        attempt=1,
        venue="paper",
        instrument="SPX",
        side=intent.side,  # type: ignore[union-attr]
        quantity=intent.quantity,  # type: ignore[union-attr]
        limit_price_usd=intent.limit_price_usd,  # type: ignore[union-attr]
    )
    steps = (OrderStep.LOST_SIGHT, OrderStep.QUARANTINED)
    home.stead.journal.append(
        [
            sent,
            *(ev.OrderMoved(**about, step=step) for step in steps),
            reducing(now, mode=gate.mode, scope="instrument:SPX", why="an order is in quarantine"),
        ]
    )
    assert home.state(decision_id) is DecisionState.QUARANTINED
    return decision_id


def settled(home: Home, decision_id: str, *found: str) -> None:
    evidence = ("--evidence", "statement of the venue, line 7")
    assert home.command("settle", decision_id, *found, *evidence, "--as", "operator")[0] == 0
    assert home.sign(decision_id, "alice")[1]["missing"] == 1
    assert home.sign(decision_id, "carol")[0] == 0


def test_people_end_an_order_that_was_never_there(home: Home) -> None:
    decision_id = quarantined(home)
    settled(home, decision_id, "--absent")
    assert home.state(decision_id) is DecisionState.SETTLED
    assert not home.book.reservations
    assert home.book.cash_usd["main"] == Decimal(100_000)
    resumed(home, "instrument:SPX")
    other = proposed_after(home)
    assert run(home.stead.home, until_idle=True) == 0
    assert home.state(other) is DecisionState.WORKING
    assert home.state(decision_id) is DecisionState.SETTLED


def test_people_book_what_an_order_executed_unseen(home: Home) -> None:
    decision_id = quarantined(home)
    settled(home, decision_id, "--filled", "1.2@2750")
    assert home.book.position("main", "SPX").quantity == Decimal("1.2")
    assert home.book.cash_usd["main"] == Decimal(100_000) - Decimal("1.2") * 2750
    assert not home.book.reservations


def test_an_order_that_trades_freely_is_not_settled_by_hand(home: Home) -> None:
    decision_id = home.stead.propose()
    assert run(home.stead.home, until_idle=True) == 0
    home.command("settle", decision_id, "--absent", "--evidence", "I do not see it", "--as", "operator")
    home.sign(decision_id, "alice")
    status, told = home.sign(decision_id, "bob")
    assert (status, told["error"]["code"]) == (1, "illegal_transition")
    assert home.state(decision_id) is DecisionState.WORKING


@pytest.mark.parametrize(
    "found",
    [(), ("--absent", "--filled", "1@2"), ("--filled", "1"), ("--filled", "x@y"), ("--filled", "-1@5")],
)
def test_a_finding_that_says_nothing_is_refused(home: Home, found: tuple[str, ...]) -> None:
    decision_id = quarantined(home)
    status, _ = home.command("settle", decision_id, *found, "--evidence", "statement, line 7")
    assert status == 2


def test_resuming_what_is_not_halted_is_refused(home: Home) -> None:
    status, told = home.command("resume")
    assert (status, told["error"]["code"]) == (2, "bad_argument")


def test_people_book_an_overfill_that_ends_the_executor_at_every_start(home: Home) -> None:
    decision_id = home.stead.propose()
    assert run(home.stead.home, until_idle=True) == 0
    (order,) = home.stead.decision(decision_id).orders
    with sqlite3.connect(home.stead.home.paper_venue) as book:
        book.execute(
            "INSERT INTO trades VALUES ('t-1', ?, '99', '500', '0', '2018-06-05T14:30:00Z')", (order,)
        )
    book.close()
    for _ in range(3):
        with pytest.raises(Fault):
            run(home.stead.home, until_idle=True)
    assert home.latches() == 1
    settled(home, decision_id, "--filled", "99@500")
    resumed(home)
    other = proposed_after(home)
    assert run(home.stead.home, until_idle=True) == 0
    assert home.book.position("main", "SPX").quantity == 99
    assert home.state(decision_id) is DecisionState.SETTLED
    assert home.state(other) in {DecisionState.WORKING, DecisionState.REJECTED}
    assert home.stead.journal_is_sound()


def test_status_and_doctor_say_what_is_halted(home: Home) -> None:
    home.halt("instrument:SPX")
    (shown,) = home.command("status")[1]["halts"]
    assert {name: shown[name] for name in ("scope", "state", "by", "why")} == {
        "scope": "instrument:SPX",
        "state": "halted",
        "by": "dave",
        "why": "drill",
    }
    status, told = home.command("doctor")
    (trading,) = [check for check in told["checks"] if check["name"] == "trading"]
    assert (status, trading["ok"]) == (1, False)
    assert "instrument:SPX halted since" in trading["found"]
    resumed(home, "instrument:SPX")
    assert home.command("status")[1]["halts"] == []
