"""The orders server looks at the latch before it seals and before it queues, and tells the journal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signing.eip712 import typed_digest
from tests.fakes.memory_latch import MemoryLatch
from tests.tool_servers.bench import ALICE, BOB, NOW, Bench, proposal
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.stops import SignedResumption, StopDesk
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import TradingStateChanged
from when_to_invest.keyholders import HomeFounded
from when_to_invest.loosening import demand_no_loosening
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.portfolio import AccountBook
from when_to_invest.remedies import RESUME, resume_details
from when_to_invest.values import Mode

SCOPES = ["system", "account:main", "venue:paper", "instrument:SPX"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def latch(bench: Bench) -> MemoryLatch:
    return bench.latch


@pytest.fixture
def desk(bench: Bench, latch: MemoryLatch) -> ProposalDesk:
    desk = bench.desk()
    desk.stops = StopDesk(desk.journal, desk.ledger, bench.clock, Mode.REPLAY, latch, desk.court.roll)
    return desk


def pull(latch: MemoryLatch, scope: str = "system", state: TradingState = TradingState.HALTED) -> None:
    latch.drop(Halt(scope, state, NOW, "alice", "drill"))


@pytest.mark.parametrize("scope", SCOPES)
def test_under_a_latch_nothing_is_sealed_though_the_journal_knows_nothing(
    bench: Bench, desk: ProposalDesk, latch: MemoryLatch, scope: str
) -> None:
    pull(latch, scope)
    answer = desk.propose(proposal(), caller="agent")
    assert (answer.verdict, [reason.code for reason in answer.reasons]) == ("refused", ["trading_halted"])
    assert "envelope_sealed" not in bench.kinds()
    assert not bench.queue.held


def test_a_latch_elsewhere_lets_an_order_pass(desk: ProposalDesk, latch: MemoryLatch) -> None:
    pull(latch, "instrument:GLD")
    assert desk.propose(proposal(), caller="agent").state == "queued"


def test_under_a_reducing_latch_only_sales_of_what_is_held_pass(
    desk: ProposalDesk, latch: MemoryLatch
) -> None:
    pull(latch, "account:main", TradingState.REDUCING)
    answer = desk.propose(proposal(), caller="agent")
    assert [reason.code for reason in answer.reasons] == ["only_reducing"]


def test_a_latch_that_falls_after_the_seal_keeps_the_envelope_from_the_queue(
    bench: Bench, desk: ProposalDesk, latch: MemoryLatch
) -> None:
    bench.queue.is_down = True
    answer = desk.propose(proposal(), caller="agent")
    assert answer.state == "sealed"
    pull(latch)
    bench.queue.is_down = False
    assert desk.relay() == 0
    assert not bench.queue.held


def test_a_latch_is_told_to_the_journal_once(bench: Bench, desk: ProposalDesk, latch: MemoryLatch) -> None:
    pull(latch, "venue:paper")
    desk.relay()
    desk.relay()
    told = [item.event for item in bench.journal.recorded if isinstance(item.event, TradingStateChanged)]
    assert [(event.scope, event.by, event.why) for event in told] == [("venue:paper", "alice", "drill")]


def test_a_latch_is_told_while_the_queue_is_away(
    bench: Bench, desk: ProposalDesk, latch: MemoryLatch
) -> None:
    bench.queue.is_down = True
    pull(latch)
    desk.relay()
    assert bench.kinds()[-1] == "trading_state_changed"


def test_a_cancel_passes_in_a_halted_home(desk: ProposalDesk, latch: MemoryLatch) -> None:
    answer = desk.propose(proposal(), caller="agent")
    pull(latch)
    assert desk.cancel(answer.decision_id, caller="agent").is_cancel_requested


def test_the_portfolio_says_what_is_halted_since_when_by_whom_and_why(
    desk: ProposalDesk, latch: MemoryLatch
) -> None:
    assert (desk.portfolio().trading_state, desk.portfolio().halts) == ("active", ())
    pull(latch)
    assert desk.portfolio().trading_state == "halted"
    (line,) = desk.portfolio().halts
    assert line == "system halted since 2018-06-04T21:05:00Z by alice: drill"
    desk.relay()
    assert desk.portfolio().halts == (line,)


def resumption(desk: ProposalDesk, bench: Bench, **changes: object) -> SignedResumption:
    """Return what alice and bob signed to lift the system's halt, asked for now."""
    standing = desk.ledger.book.standing
    halts_hash = standing.hash_of("system")
    given = {
        "purpose": RESUME,
        "summary": "resume trading: system",
        "details": resume_details(scope="system", halts_hash=halts_hash, lifts="drill"),
        "mode": Mode.REPLAY,
        "requester": "operator",
        "known_by": "local root",
        "serial": standing.serial,
        "expires_at": bench.clock.now() + timedelta(hours=1),
        "domain": desk.court.roll.domain,
    }
    asked = Motion(**given | changes)  # type: ignore[arg-type]
    digest = typed_digest(motion_typed_data(asked))
    signed = tuple(
        Endorsement(approver=name, address=key.address, signature=key.sign_digest(digest))
        for name, key in (("alice", ALICE), ("bob", BOB))
    )
    return SignedResumption(scope="system", motion=asked, endorsements=signed)


@pytest.fixture
def stops(bench: Bench, desk: ProposalDesk, latch: MemoryLatch) -> StopDesk:
    pull(latch)
    desk.relay()
    assert desk.stops is not None
    return desk.stops


def refused(stops: StopDesk, asked: SignedResumption) -> Fault:
    with pytest.raises(Fault) as caught:
        stops.take(asked)
    assert stops.ledger.book.trading_states == {"system": TradingState.HALTED}
    return caught.value


def test_two_signatures_lift_a_halt(bench: Bench, desk: ProposalDesk, stops: StopDesk) -> None:
    assert stops.take(resumption(desk, bench)).state == "active"
    assert bench.latch.read() == ()


def test_on_a_clock_that_went_back_nothing_is_resumed(
    bench: Bench, desk: ProposalDesk, stops: StopDesk
) -> None:
    asked = resumption(desk, bench)
    later = HomeFounded(at=NOW + timedelta(days=30), mode=Mode.REPLAY, chance="cd" * 32)
    bench.journal.append([later])
    bench.clock.move_to(later.at)
    assert "expired" in refused(stops, asked).message
    bench.clock.move_to(NOW + timedelta(minutes=1))
    assert refused(stops, asked).code is ErrorCode.CLOCK_BACK
    assert "trading_resumed" not in bench.kinds()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"requester": "dave"}, "neither an approver nor a caller"),
        ({"known_by": None}, "how its requester was known"),
        ({"requester": "alice"}, "alice asked for it"),
        ({"requester": "al-ice"}, "neither an approver"),
        ({"known_by": "local b_ob"}, "bob asked for it"),
    ],
)
def test_whoever_asks_is_known_and_does_not_sign(
    bench: Bench, desk: ProposalDesk, stops: StopDesk, changes: dict[str, object], words: str
) -> None:
    fault = refused(stops, resumption(desk, bench, **changes))
    assert (fault.code, words in fault.message) == (ErrorCode.BAD_APPROVAL, True)


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (TradingState.HALTED, TradingState.REDUCING),
        (TradingState.HALTED, TradingState.ACTIVE),
        (TradingState.REDUCING, TradingState.ACTIVE),
        (TradingState.ACTIVE, TradingState.ACTIVE),
    ],
)
def test_no_writer_appends_a_looser_state(present: TradingState, wanted: TradingState) -> None:
    book = AccountBook()
    event = TradingStateChanged(at=NOW, mode=Mode.REPLAY, scope="system", state=present, by="a", why="b")
    book.apply(event)
    with pytest.raises(Fault) as caught:
        demand_no_loosening([event.model_copy(update={"state": wanted})], book)
    assert caught.value.code is ErrorCode.ILLEGAL_TRANSITION
    book.apply(event.model_copy(update={"state": wanted}))
    assert book.trading_states.get("system", TradingState.ACTIVE) is present
