"""What becomes of a message: once acted upon, refused on its merits, or set aside."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from executor.probe import Point
from executor.venues.port import NewOrder, VenueOrder
from policies.limits import HARD_LIMITS, tighten
from signing.keystore import KeystoreSigner
from tests.executor.gatehouse import FORGER_SECRET, Gatehouse, approver_signer
from tests.executor.world import World
from tests.fakes.fake_venue import FakeVenue
from tests.fakes.memory_queue import MemoryQueue
from tests.when_to_invest.samples import chain_intent
from tests.when_to_invest.tightenings import halted, reducing
from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.history import DecisionState
from when_to_invest.values import Mode


@pytest.fixture
def world() -> World:
    return World()


def test_an_approved_envelope_becomes_exactly_one_order(world: World) -> None:
    decision_id = world.gate.propose()
    world.run()
    record = world.decision(decision_id)
    assert record.state is DecisionState.WORKING
    assert len(world.venue.submits) == 1
    assert world.venue.requests[world.working_order(decision_id)].quantity == record.intent.quantity
    assert world.queue.is_empty()


def test_verdict_inbox_row_and_intention_precede_the_order(world: World) -> None:
    class AtTheVenue:
        kinds: tuple[str, ...] = ()

        def reached(self, point: Point) -> None:
            if point is Point.SEND_INTENDED:
                self.kinds = tuple(item.event.kind for item in world.journal.recorded)

    probe = AtTheVenue()
    world.gate.propose()
    world.run(probe=probe)
    assert probe.kinds[-3:] == ("intent_judged", "envelope_received", "send_intended")


def test_a_second_delivery_is_deleted_and_does_nothing(world: World) -> None:
    envelope = world.gate.sealed()
    world.gate.queue(envelope)
    world.gate.queue(envelope)
    world.run()
    world.gate.queue(envelope)
    world.run()
    assert len(world.venue.submits) == 1
    assert world.queue.is_empty()


def test_an_expired_envelope_never_reaches_the_venue(world: World) -> None:
    decision_id = world.gate.propose()
    world.clock.move_to(world.clock.now() + timedelta(seconds=900))
    world.run()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits
    assert not world.book.reservations
    assert world.queue.is_empty()


def test_a_sealed_envelope_that_never_arrives_gives_its_reservation_back(world: World) -> None:
    envelope = world.gate.sealed()
    world.clock.move_to(world.clock.now() + timedelta(seconds=900))
    world.run()
    rejected = world.events(ev.EnvelopeRejected)
    assert [event.code for event in rejected] == ["envelope_expired"]
    assert world.decision(envelope.content.decision_id).state is DecisionState.REJECTED
    assert not world.book.reservations


def test_an_edited_envelope_is_set_aside_and_kills_its_waiting_decision(world: World) -> None:
    envelope = world.gate.sealed()
    edited = envelope.canonical().decode().replace('"quantity":"11"', '"quantity":"90"')
    world.gate.queue(envelope, body=edited)
    world.run()
    assert [event.code for event in world.events(ev.MessageRefused)] == ["not_in_journal"]
    assert world.decision(envelope.content.decision_id).state is DecisionState.REJECTED
    assert [dead.body for dead in world.queue.dead] == [edited]
    assert not world.venue.submits


def test_a_forged_copy_never_releases_the_reservation_of_a_live_order(world: World) -> None:
    envelope = world.gate.sealed()
    world.gate.queue(envelope)
    world.run()
    world.queue.max_receives = 1000  # what happens once it is set aside stands in test_dead_letters
    world.gate.queue(envelope, body=envelope.canonical().decode().replace('"11"', '"12"'))
    world.run(rounds=2)
    assert [event.code for event in world.events(ev.MessageRefused)] == ["not_in_journal"]
    assert world.decision(envelope.content.decision_id).state is DecisionState.WORKING
    assert world.book.reservations[envelope.content.decision_id].quantity_open == Decimal(11)


def test_a_stolen_sealing_key_without_the_journal_is_not_enough(world: World) -> None:
    elsewhere = World()
    envelope = elsewhere.gate.sealed()
    world.gate.queue(envelope)
    world.run()
    refused = world.events(ev.MessageRefused)
    assert [(event.code, event.claimed_decision_id) for event in refused] == [
        ("unknown_decision", envelope.content.decision_id)
    ]
    assert not world.venue.submits


def test_a_journal_without_the_sealing_key_is_not_enough(world: World) -> None:
    forger = Gatehouse(
        journal=world.journal,
        sender=world.queue,
        market=world.market,
        clock=world.clock,
        signer=KeystoreSigner(FORGER_SECRET),
    )
    decision_id = forger.propose()
    world.run()
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["bad_signature"]
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[]", '{"content": {}}', "\ud800", '{"a":' * 5000, "x" * 300_000],
    ids=["empty", "torn", "null", "list", "fields missing", "no text", "deep", "huge"],
)
def test_an_unreadable_message_is_noted_once_and_set_aside(world: World, body: str) -> None:
    envelope = world.gate.sealed()
    world.gate.queue(envelope, body=body)
    world.run()
    assert [event.code for event in world.events(ev.MessageRefused)] == ["unreadable_message"]
    assert [dead.body for dead in world.queue.dead] == [body]
    assert world.queue.is_empty()
    assert not world.venue.submits


@pytest.mark.parametrize(
    ("field", "value"), [("surprise", 1), ("version", 3), ("version", 1), ("version", "2"), ("mode", "LIVE")]
)
def test_an_unknown_field_or_a_wrong_type_is_unreadable(world: World, field: str, value: object) -> None:
    envelope = world.gate.sealed()
    body = json.loads(envelope.canonical())
    body["content"][field] = value
    world.gate.queue(envelope, body=json.dumps(body))
    world.run()
    assert [event.code for event in world.events(ev.MessageRefused)] == ["unreadable_message"]


def test_the_executor_judges_again_on_its_own_prices(world: World) -> None:
    decision_id = world.gate.propose()
    world.market.bars["SPX"][0] = replace(world.market.bars["SPX"][0], close_usd=Decimal(80))
    world.run()
    record = world.decision(decision_id)
    assert record.state is DecisionState.REJECTED
    assert record.verdict is not None
    assert record.verdict.judge is ev.Judge.EXECUTOR
    assert record.verdict.outcome is ev.Outcome.REFUSED
    assert not world.venue.submits


def test_an_instrument_that_vanished_refuses(world: World) -> None:
    decision_id = world.gate.propose()
    world.market.instruments = ()
    world.run()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits


def test_a_halt_between_seal_and_delivery_stops_the_order(world: World) -> None:
    decision_id = world.gate.propose()
    world.journal.append([halted(world.clock.now())])
    world.run()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits


@pytest.mark.parametrize("is_latched", [True, False])
def test_a_purchase_sealed_before_its_account_only_reduces_is_rejected_at_once(
    world: World,
    is_latched: bool,  # noqa: FBT001 - drawn
) -> None:
    decision_id = world.gate.sealed().content.decision_id
    if is_latched:
        world.latch.drop(Halt("account:main", TradingState.REDUCING, world.clock.now(), "alice", "drill"))
    else:
        world.journal.append([reducing(world.clock.now())])
    world.run()
    (rejected,) = world.events(ev.EnvelopeRejected)
    assert (rejected.decision_id, rejected.code) == (decision_id, "only_reducing")
    assert not world.book.reservations


def test_a_cancel_before_delivery_stops_the_order(world: World) -> None:
    decision_id = world.gate.propose()
    world.journal.append(
        [ev.CancelRequested(at=world.clock.now(), mode=Mode.REPLAY, decision_id=decision_id, caller="agent")]
    )
    world.run()
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["cancel_requested"]
    assert not world.venue.submits


def test_a_decision_that_ends_while_its_envelope_is_checked_gets_no_order(world: World) -> None:
    class SomebodyEndsIt:
        def reached(self, point: Point) -> None:
            if point is Point.RECEIVED:
                world.journal.append(
                    [
                        ev.EnvelopeRejected(
                            at=world.clock.now(),
                            mode=Mode.REPLAY,
                            decision_id=decision_id,
                            code="operator",
                            message="by hand",
                        )
                    ]
                )

    decision_id = world.gate.propose()
    world.run(probe=SomebodyEndsIt())
    assert not world.venue.submits
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["operator"]


def test_an_envelope_that_expires_while_others_write_gets_no_order(world: World) -> None:
    class TimePasses:
        def reached(self, point: Point) -> None:
            if point is Point.RECEIVED:
                world.clock.move_to(world.clock.now() + timedelta(seconds=900))

    decision_id = world.gate.propose()
    world.run(probe=TimePasses())
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits


def test_the_venue_may_not_take_a_request_after_its_envelope_expired(world: World) -> None:
    decision_id = world.gate.propose()
    world.clock.move_to(world.clock.now() + timedelta(seconds=890))
    world.run()
    record = world.decision(decision_id)
    assert record.envelope is not None
    request = world.venue.requests[world.working_order(decision_id)]
    assert request.valid_until == record.envelope.content.expires_at


def test_a_slow_venue_does_not_cost_the_message(world: World) -> None:
    class Slow(FakeVenue):
        """Answers once the message was extended."""

        async def submit(self, order: NewOrder) -> VenueOrder:
            waits.append(await asyncio.wait_for(extended.wait(), timeout=10))
            return await super().submit(order)

    class Watched(MemoryQueue):
        def extend(self, receipt: str, *, visibility_s: int) -> None:
            super().extend(receipt, visibility_s=visibility_s)
            extended.set()

    extended, waits = asyncio.Event(), list[bool]()
    world = World(queue=Watched(), venue=Slow(), visibility_s=1)
    world.gate.propose()
    world.run()
    assert waits == [True]
    assert world.queue.is_empty()


LARGE = Decimal(150)
"""Above the notional that one person must sign for."""


@pytest.mark.parametrize(
    ("enrolled", "state"),
    [
        ({"ann": approver_signer("ann").address}, DecisionState.WORKING),
        ({}, DecisionState.REJECTED),
        ({"ann": approver_signer("bob").address}, DecisionState.REJECTED),
        ({"bob": approver_signer("ann").address}, DecisionState.REJECTED),
    ],
    ids=["enrolled", "no longer enrolled", "another key", "another name"],
)
def test_approvals_are_checked_against_the_executors_own_list(
    world: World, enrolled: dict[str, str], state: DecisionState
) -> None:
    world.gate.approvals = ("ann",)
    world.approvers = enrolled
    decision_id = world.gate.propose(quantity=LARGE)
    world.run()
    assert world.decision(decision_id).state is state
    assert len(world.venue.submits) == (state is DecisionState.WORKING)


def test_an_executor_with_other_limits_refuses_what_it_did_not_judge_by(world: World) -> None:
    decision_id = world.gate.propose()
    world.limits = tighten(HARD_LIMITS, {"max_order_notional_usd": "20000"})
    world.run()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["bad_config"]


def test_a_transfer_is_not_an_order(world: World) -> None:
    intent = chain_intent(proposed_at=world.clock.now())
    world.gate.seal_unjudged(intent)
    world.run()
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["bad_argument"]
    assert world.queue.is_empty()


def test_an_order_for_another_venue_is_refused(world: World) -> None:
    world.venue.name = "elsewhere"
    world.gate.propose()
    world.run()
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["mode_mismatch"]
    assert not world.venue.submits


def test_an_envelope_of_another_mode_is_refused(world: World) -> None:
    world.gate.seal_unjudged(world.gate.intent(1, mode=Mode.PAPER))
    world.run()
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["mode_mismatch"]
    assert not world.venue.submits
