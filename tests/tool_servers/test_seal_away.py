"""While the sealing key is away, only what needs a seal waits for it, and nothing is half written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from signing.bounded import BoundedSigner
from signing.signer import DigestSigner
from tests.tool_servers.bench import MALLORY, NOW, SEAL, Bench, proposal, signed
from tool_servers.orders.desk import ProposalDesk
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState

AWAY = Fault(ErrorCode.SERVICE_UNAVAILABLE, "the key service does not answer", fix="wait, then try again")


@dataclass
class Vault:
    """The bench's sealing key behind a service that can fail or hang."""

    address: str = SEAL.address
    is_away: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def sign_digest(self, digest: bytes) -> str:
        self.asked += 1
        if self.is_away:
            raise AWAY
        self.gate.wait(20)
        return SEAL.sign_digest(digest)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_away = True
        yield
        self.is_away = False


def desk_with(bench: Bench, signer: DigestSigner) -> ProposalDesk:
    desk = bench.desk()
    desk.court = replace(desk.court, signatures=replace(desk.court.signatures, signer=signer))
    return desk


def unavailable(bench: Bench, desk: ProposalDesk, request_id: str) -> None:
    before = len(bench.journal.recorded)
    with pytest.raises(Fault) as caught:
        desk.propose(proposal(request_id=request_id), caller="agent")
    assert (caught.value.code, caught.value.is_retryable) == (ErrorCode.SERVICE_UNAVAILABLE, True)
    assert len(bench.journal.recorded) == before
    assert not bench.queue.held


@pytest.fixture
def vault() -> Vault:
    made = Vault()
    made.gate.set()
    return made


def test_what_needs_a_seal_is_refused_whole_and_the_same_request_passes_later(vault: Vault) -> None:
    bench = Bench()
    desk = desk_with(bench, vault)
    with vault.away():
        unavailable(bench, desk, "r-1")
        unavailable(bench, desk, "r-1")
    answer = desk.propose(proposal(request_id="r-1"), caller="agent")
    assert answer.state == DecisionState.QUEUED
    assert bench.kinds().count("intent_proposed") == bench.kinds().count("envelope_sealed") == 1


def test_refusals_holds_and_cancels_need_no_seal_and_go_on(vault: Vault) -> None:
    bench = Bench()
    desk = desk_with(bench, vault)
    queued = desk.propose(proposal(request_id="r-1"), caller="agent")
    with vault.away():
        refused = desk.propose(proposal("400000", request_id="r-2"), caller="agent")
        held = desk.propose(proposal("12000", request_id="r-3"), caller="agent")
        cancelled = desk.cancel(queued.decision_id, caller="agent")
    assert (refused.verdict, held.verdict) == ("refused", "held")
    assert cancelled.is_cancel_requested


def test_the_last_signature_is_taken_with_the_seal_or_not_at_all(vault: Vault) -> None:
    bench = Bench()
    desk = desk_with(bench, vault)
    held = desk.propose(proposal("12000"), caller="agent")
    approval = signed(desk, held)
    before = len(bench.journal.recorded)
    with vault.away():
        with pytest.raises(Fault, match="does not answer"):
            desk.approve(approval)
        assert len(bench.journal.recorded) == before
        assert desk.get(held.decision_id).state == DecisionState.HELD
    assert desk.approve(approval).state == DecisionState.QUEUED


def test_a_key_that_hangs_costs_a_rush_of_callers_its_patience_once(vault: Vault) -> None:
    bench = Bench()
    vault.gate.clear()
    desk = desk_with(bench, BoundedSigner(vault, longest_s=0.2))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: unavailable(bench, desk, f"r-{n}"), range(16)))
    assert vault.asked == 1
    vault.gate.set()


def test_a_key_whose_window_has_ended_seals_no_more_though_the_process_still_holds_it() -> None:
    bench = Bench()
    desk = desk_with(bench, SEAL)
    desk.propose(proposal(request_id="r-1"), caller="agent")
    desk.court.roll.seals.retire(SEAL.address, not_after=NOW - timedelta(seconds=1))
    before = len(bench.journal.recorded)
    with pytest.raises(Fault, match="not trusted here now") as caught:
        desk.propose(proposal("3000", request_id="r-2"), caller="agent")
    assert caught.value.code is ErrorCode.KEY_MISSING
    assert SEAL.address in caught.value.message
    assert len(bench.journal.recorded) == before


def test_a_key_that_nobody_trusts_seals_nothing() -> None:
    bench = Bench()
    desk = desk_with(bench, MALLORY)
    with pytest.raises(Fault, match="not trusted here now"):
        desk.propose(proposal(), caller="agent")
    assert "intent_proposed" not in bench.kinds()
