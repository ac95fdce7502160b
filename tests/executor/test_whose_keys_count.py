"""The executor folds the roll for itself: who approves and who seals, from its own configuration."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from signing.eip712 import typed_digest
from tests.executor.gatehouse import approver_signer, domain_of, seal_signer
from tests.executor.world import World
from tests.policies.sealing import key
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.values import Mode

LARGE: dict[str, Any] = {"quantity": Decimal(150)}
"""15,000 USD: one signature."""


@pytest.fixture
def world() -> World:
    people = {name: approver_signer(name).address for name in ("alice", "bob")}
    world = World(approvers=people)
    founders = tuple(kh.Approver(name=name, address=address) for name, address in people.items())
    tell(world, kh.ApproversFounded(at=world.clock.now(), mode=Mode.REPLAY, approvers=founders))
    return world


def tell(world: World, event: kh.KeyholderEvent) -> None:
    world.journal.append([event])


def motion(world: World, purpose: str, details: kh.Details, *, serial: int = 0) -> Motion:
    return Motion(
        purpose=purpose,
        summary="a change",
        details=details,
        mode=Mode.REPLAY,
        requester="operator",
        serial=serial,
        expires_at=world.clock.now() + timedelta(hours=1),
        domain=domain_of(world.journal),
    )


def signed(asked: Motion, *names: str) -> tuple[Endorsement, ...]:
    digest = typed_digest(motion_typed_data(asked))
    keys = {name: approver_signer(name) for name in names}
    return tuple(
        Endorsement(approver=name, address=signer.address, signature=signer.sign_digest(digest))
        for name, signer in keys.items()
    )


def enrol_carol(world: World, *by: str, until: datetime | None = None) -> None:
    carol = kh.Approver(name="carol", address=approver_signer("carol").address, valid_until=until)
    asked = motion(world, kh.ENROL, kh.enrol_details(carol))
    tell(
        world,
        kh.ApproverEnrolled(
            at=world.clock.now(),
            mode=Mode.REPLAY,
            approver=carol,
            motion=asked,
            endorsements=signed(asked, *by),
        ),
    )


def trust_next_seal(world: World, *by: str) -> None:
    added = kh.SealKey(address=key(99).address, not_before=world.clock.now())
    asked = motion(world, kh.ADD_SEAL_KEY, kh.seal_key_details(added))
    tell(
        world,
        kh.SealKeyAdded(
            at=world.clock.now(), mode=Mode.REPLAY, key=added, motion=asked, endorsements=signed(asked, *by)
        ),
    )


def send_with_carol(world: World) -> bool:
    world.gate.approvals = ("carol",)
    decision_id = world.gate.propose(**LARGE)
    world.run()
    return bool(world.decision(decision_id).orders)


def test_whoever_a_quorum_enrolled_approves_here_too(world: World) -> None:
    enrol_carol(world, "alice", "bob")
    assert send_with_carol(world)


@pytest.mark.parametrize("by", [(), ("alice",), ("alice", "carol")])
def test_whoever_wrote_themselves_into_the_journal_approves_nothing(
    world: World, by: tuple[str, ...]
) -> None:
    enrol_carol(world, *by)
    assert not send_with_carol(world)
    assert [event.code for event in world.events(ev.EnvelopeRejected)] == ["bad_approval"]


def test_an_approval_by_a_vote_that_ran_out_is_refused(world: World) -> None:
    enrol_carol(world, "alice", "bob", until=world.clock.now())
    assert not send_with_carol(world)


def sealed_order(world: World) -> str:
    world.gate.signer = key(99)
    return world.gate.propose()


def test_a_key_that_a_quorum_trusts_seals(world: World) -> None:
    trust_next_seal(world, "alice", "bob")
    decision_id = sealed_order(world)
    world.run()
    assert world.decision(decision_id).orders


def test_a_key_that_nobody_signed_for_seals_nothing(world: World) -> None:
    trust_next_seal(world, "alice")
    decision_id = sealed_order(world)
    world.run()
    assert not world.decision(decision_id).orders


def test_what_the_old_key_sealed_counts_in_its_window_and_not_after(world: World) -> None:
    trust_next_seal(world, "alice", "bob")
    ends = world.clock.now() + timedelta(seconds=60)
    retired = kh.SealKeyRetired(
        at=world.clock.now(),
        mode=Mode.REPLAY,
        address=seal_signer().address,
        not_after=ends,
        by="operator",
    )
    tell(world, retired)
    in_time = world.gate.propose(1)
    world.run()
    assert world.decision(in_time).orders
    too_late = world.gate.propose(2)
    world.clock.move_to(ends + timedelta(seconds=1))
    world.run()
    assert not world.decision(too_late).orders


def test_an_envelope_of_another_home_is_refused(world: World) -> None:
    other = World(approvers=world.approvers)
    other.gate.fund()
    foreign = other.gate.sealed()
    world.gate.queue(foreign)
    world.run()
    assert not world.venue.orders


def test_a_home_that_others_founded_with_fewer_is_not_served() -> None:
    """Whoever writes the first event could leave out those who would refuse."""
    people = {name: approver_signer(name).address for name in ("alice", "bob", "carol")}
    world = World(approvers=people)
    alice = kh.Approver(name="alice", address=people["alice"])
    service = world.run()
    tell(world, kh.ApproversFounded(at=world.clock.now(), mode=Mode.REPLAY, approvers=(alice,)))
    enrol_carol(world, "alice")
    for serve in (lambda: service.step(wait_s=0), world.run):
        with pytest.raises(Fault, match="the approver bob with a key") as caught:
            serve()
        assert caught.value.code is ErrorCode.LOOSER_LIMIT


def test_a_home_that_others_founded_with_another_key_is_not_served(world: World) -> None:
    world.approvers["bob"] = approver_signer("mallory").address
    with pytest.raises(Fault, match="approver bob with a key"):
        world.run()


def test_who_was_removed_may_stay_in_the_configuration(world: World) -> None:
    world.approvers["carol"] = approver_signer("carol").address
    enrol_carol(world, "alice", "bob")
    carol = kh.Approver(name="carol", address=approver_signer("carol").address)
    asked = motion(world, kh.REMOVE, kh.remove_details("carol", carol.address), serial=1)
    tell(
        world,
        kh.ApproverRemoved(
            at=world.clock.now(),
            mode=Mode.REPLAY,
            name="carol",
            address=carol.address,
            motion=asked,
            endorsements=signed(asked, "alice", "bob"),
        ),
    )
    world.run()
    world.gate.approvals = ("carol",)
    by_carol = world.gate.propose(**LARGE)
    world.run()
    assert not world.decision(by_carol).orders


def test_whose_key_a_quorum_exchanged_may_stay_in_the_configuration(world: World) -> None:
    """The earlier key has no vote; a process that has not heard of the new one goes on."""
    service = world.run()
    enrol_carol(world, "alice", "bob")
    old, new = approver_signer("alice").address, approver_signer("alice2").address
    asked = motion(world, kh.REMOVE, kh.remove_details("alice", old), serial=1)
    told: dict[str, Any] = {"at": world.clock.now(), "mode": Mode.REPLAY}
    gone = kh.ApproverRemoved(
        **told, name="alice", address=old, motion=asked, endorsements=signed(asked, "bob", "carol")
    )
    tell(world, gone)
    alice = kh.Approver(name="alice", address=new)
    asked = motion(world, kh.ENROL, kh.enrol_details(alice), serial=2)
    tell(
        world,
        kh.ApproverEnrolled(**told, approver=alice, motion=asked, endorsements=signed(asked, "bob", "carol")),
    )
    service.step(wait_s=0)
    world.run()
    world.gate.approvals = ("alice",)
    by_the_old_key = world.gate.propose(**LARGE)
    world.run()
    assert not world.decision(by_the_old_key).orders
