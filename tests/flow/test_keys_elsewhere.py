"""One idea under keys that lie elsewhere: sealed in KMS or in a token, approved in a token and a wallet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.demo.onlooker import wait_for
from cli.demo.story import closes_after
from home.paths import Home
from ledger.sqlite_journal import open_journal
from ledger.verify import verify_journal
from signing.eip712 import recover_address, typed_digest
from signing.kms import connect_kms
from tests.contracts.signers import PIN, make_kms_key, needs_softhsm
from tests.contracts.sqs_server import sqs_server
from tests.flow.keys_elsewhere import AWS, Line, Office, TokenBox, token_place
from tests.tool_servers.calling import answer_of, error_of
from when_to_invest.envelopes import envelope_typed_data
from when_to_invest.errors import ErrorCode
from when_to_invest.events import EnvelopeQueued, EnvelopeRejected
from when_to_invest.history import DecisionState

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.timeout(300)]

FIRST_EVENING = datetime(2017, 6, 29, 22, tzinfo=UTC)


@dataclass
class Place:
    """Where the seals of one home lie, and how they can become unreachable."""

    office: Office
    seals: tuple[str, str]
    outages: dict[str, Callable[[], AbstractContextManager[None]]]
    days: Iterator[datetime]
    addresses: list[str] = field(default_factory=list)

    def start(self) -> None:
        secret = {"secret": PIN} if self.seals[0].startswith("pkcs11:") else {}
        self.addresses = [
            self.office.command("keys", "address", place, **secret)["address"] for place in self.seals
        ]
        self.office.configure(seal=self.seals[0], trusted=self.addresses[0])
        self.office.clock.move_to(FIRST_EVENING)
        self.office.command("up", "--detach", **secret)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> TokenBox:
    needs_softhsm()
    box = TokenBox(tmp_path_factory.mktemp("user"))
    for label in ("vault-key", "seal", "seal-2"):
        box.make_key(label)
    return box


@pytest.fixture(scope="module", params=["kms", "hsm"])
def place(
    request: pytest.FixtureRequest, token: TokenBox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with ExitStack() as stack:
        make = in_kms if request.param == "kms" else in_token
        place = make(stack, token, tmp_path_factory)
        stack.callback(lambda: place.office.command("down"))
        place.start()
        yield place


def in_token(stack: ExitStack, token: TokenBox, tmp_path_factory: pytest.TempPathFactory) -> Place:
    office = Office(Home(tmp_path_factory.mktemp("home")).make(), token, "")
    seals = (token_place("seal"), token_place("seal-2"))
    return Place(office, seals, {"pulled": token.away}, days_of(office))


def in_kms(stack: ExitStack, token: TokenBox, tmp_path_factory: pytest.TempPathFactory) -> Place:
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    for name, value in AWS.items():
        patch.setenv(name, value)
    line = Line(stack.enter_context(sqs_server(tmp_path_factory.mktemp("kms"), services="kms")))
    stack.callback(line.close)
    client: Any = connect_kms(region="us-east-1", endpoint_url=line.url)
    for alias in ("seal", "seal-2"):
        client.create_alias(AliasName=f"alias/{alias}", TargetKeyId=make_kms_key(client))
    settings = f'endpoint_url = "{line.url}"'
    office = Office(Home(tmp_path_factory.mktemp("home")).make(), token, settings, AWS)
    # The commands reach KMS before config.toml is whole.
    office.home.config.write_text(f"[signing]\n{settings}\n")
    outages = {"cut": line.cut, "silent": line.silent}
    return Place(office, ("kms:seal", "kms:seal-2"), outages, days_of(office))


def days_of(office: Office) -> Iterator[datetime]:
    return closes_after(office, "SPX", FIRST_EVENING, count=12)  # type: ignore[arg-type] # has a home


def sealed_by(place: Place, decision_id: str) -> str:
    record = place.office.record(decision_id)
    envelope = record.envelope
    assert envelope is not None, record.reasons
    return recover_address(typed_digest(envelope_typed_data(envelope.content)), envelope.seal)


def rejection_of(office: Office, decision_id: str) -> str:
    """Return why the executor would not act on a decision's envelope."""
    with closing(open_journal(office.home.journal, is_read_only=True)) as journal:
        events = [row.event for row in journal.read()]
    (code,) = {
        event.code
        for event in events
        if isinstance(event, EnvelopeRejected) and event.decision_id == decision_id
    }
    return code


def test_an_unreachable_key_refuses_in_seconds_and_leaves_no_trace(place: Place) -> None:
    office = place.office
    for count, (name, outage) in enumerate(place.outages.items(), start=1):
        asked = (f"r-{name}", 3_000 * count)
        before = verify_journal(office.home.journal).head.sequence
        with outage():
            told = [error_of(office.propose(*asked)) for _ in range(2)]
        for error in told:
            assert (error["code"], error["retryable"]) == ("service_unavailable", True), name
            assert error["fix"]
            assert "nothing was signed" in error["message"]
        assert verify_journal(office.home.journal).ok
        assert written_after(office, before) <= {EnvelopeQueued.model_fields["kind"].default}
        wait_for(partial(accepted, office, *asked), what=f"a seal after it was {name}")


def written_after(office: Office, sequence: int) -> set[str]:
    """Return the kinds of events since; the note of what was queued before may come late."""
    with closing(open_journal(office.home.journal, is_read_only=True)) as journal:
        return {item.event.kind for item in journal.read(after=sequence)}


def accepted(office: Office, request_id: str, notional_usd: int) -> bool | None:
    """Whether the very request that was refused for want of a seal is taken now."""
    return not office.propose(request_id, notional_usd).is_error or None


def test_an_idea_is_held_signed_in_a_token_and_a_wallet_and_filled(place: Place) -> None:
    office = place.office
    told = answer_of(office.propose("r-held", 22_000))
    decision_id = told["decision_id"]
    assert told["verdict"] == "held"
    assert office.sign_in_the_vault(decision_id)["verdict"] == "held"
    assert office.sign_with_the_wallet(decision_id)["verdict"] == "approved"
    assert sealed_by(place, decision_id) == place.addresses[0]
    office.run_executor()
    office.next_day(place.days)
    office.run_executor()
    record = office.record(decision_id)
    assert record.state is DecisionState.FILLED
    assert {given.approver for given in record.approvals} == {"vault", "wallet"}
    assert office.command("journal", "verify")["ok"] is True


def test_a_seal_is_rotated_under_way_and_what_the_old_one_sealed_dies_with_it(place: Place) -> None:
    office = place.office
    old, new = place.addresses
    for _ in range(2):  # what was bought no longer counts towards a day's total
        office.next_day(place.days)
    overlapping = answer_of(office.propose("r-old", 2_500))["decision_id"]
    subject = office.command("keys", "add", new)["subject"]
    assert office.sign_in_the_vault(subject)["done"] is False
    assert office.sign_with_the_wallet(subject)["done"] is True
    office.seal_with(place.seals[1])
    fresh = answer_of(office.propose("r-new", 3_500))["decision_id"]
    assert (sealed_by(place, overlapping), sealed_by(place, fresh)) == (old, new)
    office.run_executor()
    assert {office.record(each).state for each in (overlapping, fresh)} == {DecisionState.WORKING}
    office.seal_with(place.seals[0])
    late = answer_of(office.propose("r-late", 3_000))["decision_id"]
    assert sealed_by(place, late) == old
    office.command("keys", "retire", old)
    office.clock.move_to(office.clock.now() + timedelta(minutes=1))
    office.run_executor()
    record = office.record(late)
    assert (record.state, record.orders) == (DecisionState.REJECTED, {})
    assert rejection_of(office, late) == ErrorCode.BAD_SIGNATURE.value
    assert office.command("journal", "verify")["ok"] is True


def test_no_secret_of_a_key_is_seen_by_other_processes_or_written_down(place: Place) -> None:
    office = place.office
    for name, pid in office.pids().items():
        seen = Path(f"/proc/{pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert PIN.encode() not in seen.split(b"\0")
        assert f"={PIN}".encode() not in environment, name
        holds_aws = AWS["AWS_SECRET_ACCESS_KEY"].encode() in environment
        assert holds_aws is (name == "orders" and bool(office.environment)), name
    for path in [*office.home.run.glob("*.log"), office.home.journal]:
        written = path.read_bytes()
        assert AWS["AWS_SECRET_ACCESS_KEY"].encode() not in written, path.name
        assert b"Traceback" not in written, path.name
