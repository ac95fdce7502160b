"""Halts, resumptions, proposals, work and crashes in any order: nothing is sent or stays where it is halted.

A model beside the machine knows what is halted and lifted. The venue's own list of submits is
the truth: none may be added while the latch or the journal halts its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import eth_account.messages  # noqa: F401 - its first import changes the recursion limit
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from executor.diary import Diary
from executor.probe import Point
from executor.sending import is_awaiting_order
from executor.venues.port import VenueStatus
from ledger.halting import take_away_lifted, told, untold
from ledger.live import LiveLedger
from policies.remedies import Electorate
from signing.eip712 import recover_address, typed_digest
from tests.executor.by_hand import run
from tests.executor.gatehouse import approver_signer
from tests.executor.world import Executor, World
from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState, state_under
from when_to_invest.domains import TEST_CHAIN_ID, SigningDomain
from when_to_invest.errors import Fault
from when_to_invest.intents import Side
from when_to_invest.loosening import demand_no_loosening
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.remedies import RESUME, halts_in_words, resume_details
from when_to_invest.values import Mode

SCOPES = ("system", "account:main", "venue:paper", "instrument:SPX", "instrument:GLD")
COVERING = frozenset(SCOPES[:4])
"""The scopes that every proposed order stands in."""
BEFORE_THE_SEND = (Point.RECEIVED, Point.JUDGED, Point.SEND_INTENDED)
"""Later the latch is held: whoever pulls it waits for quiet, as the latch's own tests show."""
STATES = (TradingState.REDUCING, TradingState.HALTED)
PEOPLE = {name: approver_signer(name).address for name in ("alice", "bob")}
ELECTORATE = Electorate(PEOPLE, Mode.REPLAY, typed_digest, recover_address)


class DiedError(BaseException):
    """Stands for SIGKILL: nothing in the executor may catch it."""


class Pulls:
    """At one point, drops the latch or dies, once."""

    def __init__(self, point: Point, act: object) -> None:
        self.point: Point | None = point
        self.act = act

    def reached(self, point: Point) -> None:
        if point is self.point:
            self.point = None
            self.act()  # type: ignore[operator]


def die() -> None:
    raise DiedError


class HaltingMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = World(approvers=dict(PEOPLE))
        self.number = 0
        self.standing: dict[str, TradingState] = {}
        self.submitted_when_halted: list[str] = []
        submit = self.world.venue.submit

        def watched(order: object) -> object:
            if self.is_closed(order.side):  # type: ignore[attr-defined]
                self.submitted_when_halted.append(order.client_order_id)  # type: ignore[attr-defined]
            return submit(order)  # type: ignore[arg-type]

        self.world.venue.submit = watched  # type: ignore[method-assign,assignment]
        self.hold_something()

    def hold_something(self) -> None:
        """Buy what can be offered later."""
        self.propose()
        self.serve(None)
        (order,) = self.world.venue.orders
        self.world.venue.trade(order, self.world.venue.requests[order].quantity)
        self.serve(None)

    def is_closed(self, side: Side) -> bool:
        """Whether an order may not leave now, by latch or journal as they stand this instant."""
        latched = state_under(self.world.latch.read(), scopes=COVERING)
        told = {state for scope, state in self.fold().book.trading_states.items() if scope in COVERING}
        open_to_sales = {TradingState.ACTIVE, TradingState.REDUCING}
        return bool({latched, *told} - (open_to_sales if side is Side.SELL else {TradingState.ACTIVE}))

    def fold(self) -> LiveLedger:
        ledger = LiveLedger(self.world.journal, is_warranted=ELECTORATE.is_warranted)
        ledger.refresh()
        return ledger

    def drop(self, scope: str, state: TradingState) -> None:
        self.world.latch.drop(Halt(scope, state, self.world.clock.now(), "alice", "drill"))
        self.stand(scope, state)

    def stand(self, scope: str, state: TradingState) -> None:
        if self.standing.get(scope) is not TradingState.HALTED:
            self.standing[scope] = state

    @rule(scope=st.sampled_from(SCOPES), state=st.sampled_from(STATES))
    def pull(self, scope: str, state: TradingState) -> None:
        self.drop(scope, state)

    @rule(scope=st.sampled_from(SCOPES), state=st.sampled_from(TradingState))
    def automation_moves(self, scope: str, state: TradingState) -> None:
        diary = Diary(
            self.world.journal,
            clock=self.world.clock,
            mode=Mode.REPLAY,
            is_warranted=ELECTORATE.is_warranted,
        )
        run(diary.tighten(scope, state=state, why="a breaker tripped"))
        if state is not TradingState.ACTIVE and self.standing.get(scope) is not TradingState.HALTED:
            self.standing[scope] = state

    @rule(scope=st.sampled_from(SCOPES), state=st.sampled_from(TradingState))
    def automation_tries_to_loosen(self, scope: str, state: TradingState) -> None:
        """Neither a writer lets it through nor, when written all the same, a fold."""
        before = self.fold().book
        event = ev.TradingStateChanged(
            at=self.world.clock.now(), mode=Mode.REPLAY, scope=scope, state=state, by="executor", why="again"
        )
        present = before.trading_states.get(scope, TradingState.ACTIVE)
        if state is TradingState.ACTIVE or (present, state) == (TradingState.HALTED, TradingState.REDUCING):
            with pytest.raises(Fault):
                demand_no_loosening([event], before)
            self.world.journal.append([event])
            assert self.fold().book.trading_states == before.trading_states

    @rule(
        scope=st.sampled_from(SCOPES),
        signers=st.sets(st.sampled_from(("alice", "bob", "mallory"))),
        is_late=st.booleans(),
    )
    def resume(self, scope: str, signers: set[str], is_late: bool) -> None:  # noqa: FBT001 - drawn
        world = self.world
        ledger = self.fold()
        latches = told(untold(world.latch, ledger.book), at=world.clock.now(), mode=Mode.REPLAY)
        world.journal.append(latches)
        event = self.resumption(scope, sorted(signers))
        if is_late:
            self.drop("instrument:GLD", TradingState.REDUCING)
            fresh = told(untold(world.latch, self.fold().book), at=world.clock.now(), mode=Mode.REPLAY)
            world.journal.append(fresh)
        world.journal.append([event])
        ledger = self.fold()
        is_carried = signers == {"alice", "bob"} and not is_late and scope in self.standing
        if is_carried:
            del self.standing[scope]
        take_away_lifted(world.latch, ledger.book)
        assert ledger.book.trading_states == self.standing

    def resumption(self, scope: str, signers: Sequence[str]) -> ev.TradingResumed:
        ledger = self.fold()
        stands, now = ledger.book.standing, self.world.clock.now()
        motion = Motion(
            purpose=RESUME,
            summary=f"resume trading: {scope}",
            details=resume_details(
                scope=scope, halts_hash=stands.hash_of(scope), lifts=halts_in_words(stands.standing(scope))
            ),
            mode=Mode.REPLAY,
            requester="dave",
            serial=stands.serial,
            expires_at=now + timedelta(hours=1),
            domain=SigningDomain(home_id=ledger.home_id, chain_id=TEST_CHAIN_ID),
        )
        digest = typed_digest(motion_typed_data(motion))
        endorsements = tuple(
            Endorsement(
                approver=name,
                address=approver_signer(name).address,
                signature=approver_signer(name).sign_digest(digest),
            )
            for name in signers
        )
        return ev.TradingResumed(
            at=now,
            mode=Mode.REPLAY,
            scope=scope,
            halts_hash=stands.hash_of(scope),
            motion=motion,
            endorsements=endorsements,
        )

    @rule()
    def propose(self) -> None:
        self.number += 1
        self.world.clock.move_to(self.world.clock.now() + timedelta(seconds=61))
        quantity = Decimal(1) + Decimal(self.number) / 100
        self.world.gate.seal_unjudged(self.world.gate.intent(self.number, quantity=quantity))

    @rule()
    def offer(self) -> None:
        """A sale of what is held, at a price that nobody pays."""
        self.number += 1
        self.world.clock.move_to(self.world.clock.now() + timedelta(seconds=61))
        quantity = Decimal(self.number) / 1000
        sale = {"side": Side.SELL, "quantity": quantity, "limit_price_usd": Decimal("100.50")}
        self.world.gate.seal_unjudged(self.world.gate.intent(self.number, **sale))

    @rule()
    def work(self) -> None:
        self.serve(None)
        for name, order in self.world.venue.orders.items():
            if order.status is VenueStatus.WORKING:
                assert not self.is_closed(self.world.venue.requests[name].side)
        for record in self.fold().decisions.open():
            assert is_awaiting_order(record) is False or not self.is_closed(record.intent.side)  # type: ignore[union-attr]

    def lift_everything(self) -> None:
        """Go on everywhere as people may, so that what follows meets an open home."""
        for scope in tuple(self.standing):
            self.resume(scope=scope, signers={"alice", "bob"}, is_late=False)

    @rule(
        point=st.sampled_from(BEFORE_THE_SEND), scope=st.sampled_from(SCOPES), state=st.sampled_from(STATES)
    )
    def the_switch_is_pulled_in_the_middle(self, point: Point, scope: str, state: TradingState) -> None:
        self.lift_everything()
        self.propose()
        self.serve(Pulls(point, lambda: self.drop(scope, state)))

    @rule(point=st.sampled_from(Point))
    def the_executor_dies(self, point: Point) -> None:
        self.propose()
        self.serve(Pulls(point, die))

    def serve(self, probe: Pulls | None) -> None:
        """Run a fresh executor that knows who may lift a halt, until nothing happens or it dies.

        What it tightens by itself (a message that died, say) stands from then on like the rest.
        """
        before = self.world.journal.head().sequence
        service: Executor = self.world.executor(probe=probe)
        try:
            service.start()
            for _ in range(6):
                if not service.step(wait_s=0):
                    break
        except DiedError:
            pass
        self.world.queue.now_s += 60
        for recorded in self.world.journal.read(after=before):
            event = recorded.event
            if isinstance(event, ev.TradingStateChanged) and not event.latch_id:
                self.stand(event.scope, event.state)

    @invariant()
    def nothing_was_sent_where_it_was_halted(self) -> None:
        assert not self.submitted_when_halted

    @invariant()
    def what_people_and_breakers_halted_stays_halted(self) -> None:
        latched = {scope: state_under(self.world.latch.read(), scopes=(scope,)) for scope in SCOPES}
        journalled = self.fold().book.trading_states
        for scope in SCOPES:
            present = (latched[scope], journalled.get(scope, TradingState.ACTIVE))
            wanted = self.standing.get(scope, TradingState.ACTIVE)
            assert max(present, key=list(TradingState).index) is wanted


HaltingMachine.TestCase.settings = settings(stateful_step_count=15)
TestHalting = pytest.mark.proof(HaltingMachine.TestCase)
