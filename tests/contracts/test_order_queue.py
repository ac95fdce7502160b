"""What every order queue promises: the fake, the embedded one, and SQS on a real server."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ledger.queue import OutgoingMessage, ReceivedMessage
from tests.contracts.queues import MAX_RECEIVES, HeldQueue, embedded, in_memory, on_sqs
from when_to_invest.errors import ErrorCode, Fault


@pytest.fixture(params=["in_memory", "embedded", "on_sqs"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> HeldQueue:
    match request.param:
        case "in_memory":
            return in_memory()
        case "embedded":
            return embedded(tmp_path)
        case _:
            return on_sqs(request.getfixturevalue("sqs_client"))


def _bodies(messages: tuple[ReceivedMessage, ...]) -> list[str]:
    return [message.body for message in messages]


def test_an_empty_queue_gives_nothing(queue: HeldQueue) -> None:
    assert queue.receive_all() == ()


def test_a_message_arrives_as_it_was_sent(queue: HeldQueue) -> None:
    sent = OutgoingMessage('{"why":"naïve — 雪\\n"}\n' + "x" * 100_000, "main|paper|SPX", "d-1")
    message_id = queue.sender.send(sent)
    (received,) = queue.receive_all()
    assert (received.body, received.group, received.deduplication_id) == (
        sent.body,
        sent.group,
        sent.deduplication_id,
    )
    assert (received.message_id, received.receive_count) == (message_id, 1)


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_trace_context_travels_beside_the_body_and_again_at_each_delivery(queue: HeldQueue) -> None:
    queue.sender.send(OutgoingMessage("traced", "g1", "d-1", TRACEPARENT))
    queue.sender.send_batch([OutgoingMessage("batched", "g2", "d-2", TRACEPARENT)])
    queue.sender.send(OutgoingMessage("plain", "g3", "d-3"))
    first = {message.body: message for message in queue.receive_all()}
    told = {body: message.traceparent for body, message in first.items()}
    assert told == {"traced": TRACEPARENT, "batched": TRACEPARENT, "plain": ""}
    queue.receiver.extend(first["traced"].receipt, visibility_s=0)
    (again,) = queue.receive_all()
    assert (again.body, again.traceparent) == ("traced", TRACEPARENT)


@pytest.mark.parametrize("text", ["garbage", TRACEPARENT.upper(), TRACEPARENT + "\n", "ff" + TRACEPARENT[2:]])
def test_what_is_no_trace_context_is_delivered_as_none(queue: HeldQueue, text: str) -> None:
    queue.sender.send(OutgoingMessage("traced", "g", "d-1", text))
    (received,) = queue.receive_all()
    assert (received.body, received.traceparent) == ("traced", "")


def test_a_group_keeps_its_order(queue: HeldQueue) -> None:
    queue.send("a", "b", "c")
    first = queue.receiver.receive(max_messages=1, wait_s=0.0)
    queue.receiver.delete(first[0].receipt)
    assert _bodies(first) + _bodies(queue.receive_all()) == ["a", "b", "c"]


def test_a_group_waits_while_one_of_its_messages_is_in_flight(queue: HeldQueue) -> None:
    queue.send("a", "b")
    queue.send("other", group="main|paper|IXIC")
    (first,) = queue.receiver.receive(max_messages=1, wait_s=0.0)
    assert _bodies(queue.receive_all()) == ["other"]
    queue.receiver.delete(first.receipt)
    assert _bodies(queue.receive_all()) == ["b"]


def test_no_more_than_ten_messages_come_at_once(queue: HeldQueue) -> None:
    queue.send(*"abcdefghijkl")
    assert _bodies(queue.receive_all()) == list("abcdefghij")


def test_a_repeated_send_is_the_first_one(queue: HeldQueue) -> None:
    message = OutgoingMessage("a", "main|paper|SPX", "d-1")
    assert queue.sender.send(message) == queue.sender.send(message)
    assert len(queue.receive_all()) == 1


def test_a_repetition_is_known_after_the_message_was_deleted(queue: HeldQueue) -> None:
    message = OutgoingMessage("a", "main|paper|SPX", "d-1")
    queue.sender.send(message)
    queue.receiver.delete(queue.receive_all()[0].receipt)
    queue.sender.send(message)
    assert queue.receive_all() == ()


def test_what_was_not_dealt_with_in_time_comes_back_in_order(queue: HeldQueue) -> None:
    queue.send("a", "b")
    first = queue.receive_all()
    again = queue.receive_after_visibility()
    assert _bodies(again) == _bodies(first) == ["a", "b"]
    assert [message.receive_count for message in again] == [2, 2]
    assert {message.receipt for message in again}.isdisjoint({message.receipt for message in first})


def test_a_receiver_that_came_too_late_deletes_nothing(queue: HeldQueue) -> None:
    queue.send("a")
    (stale,) = queue.receive_all()
    (fresh,) = queue.receive_after_visibility()
    with pytest.raises(Fault) as caught:
        queue.receiver.delete(stale.receipt)
    assert caught.value.code is ErrorCode.RECEIPT_EXPIRED
    queue.receiver.delete(fresh.receipt)


def test_an_invented_receipt_is_refused(queue: HeldQueue) -> None:
    for act in (queue.receiver.delete, lambda receipt: queue.receiver.extend(receipt, visibility_s=5)):
        with pytest.raises(Fault) as caught:
            act("no such receipt")
        assert caught.value.code is ErrorCode.RECEIPT_EXPIRED


def test_an_extended_message_stays_with_its_receiver(queue: HeldQueue) -> None:
    queue.send("a")
    (held,) = queue.receive_all()
    queue.receiver.extend(held.receipt, visibility_s=60)
    queue.pass_time(2.0)
    assert queue.receiver.receive(max_messages=10, wait_s=2.0) == ()
    queue.receiver.delete(held.receipt)


def test_a_message_given_back_is_available_at_once(queue: HeldQueue) -> None:
    queue.send("a")
    (held,) = queue.receive_all()
    queue.receiver.extend(held.receipt, visibility_s=0)
    (again,) = queue.receive_all()
    assert (again.body, again.receive_count) == ("a", 2)


def test_a_message_nobody_can_deal_with_is_set_aside_and_frees_its_group(queue: HeldQueue) -> None:
    queue.send("poison", "good")
    for _ in range(MAX_RECEIVES):
        (held,) = queue.receiver.receive(max_messages=1, wait_s=0.0)
        assert held.body == "poison"
        queue.receiver.extend(held.receipt, visibility_s=0)
    assert _bodies(queue.receive_all()) == ["good"]
    (letter,) = queue.dead_letters.look(max_messages=10)
    assert (letter.body, letter.group, letter.deduplication_id) == (
        "poison",
        "main|paper|SPX",
        "id of poison",
    )


def test_a_dead_letter_is_the_message_that_was_sent_and_goes_when_it_is_answered(queue: HeldQueue) -> None:
    sent = queue.sender.send(OutgoingMessage("poison", "main|paper|SPX", "d-1"))
    _exhaust(queue)
    (letter,) = queue.dead_letters.look(max_messages=10)
    assert letter.message_id == sent
    queue.dead_letters.remove(letter.receipt)
    assert queue.dead_letters.look(max_messages=10) == ()


def test_dead_letters_of_every_group_show(queue: HeldQueue) -> None:
    for number in range(12):
        queue.send(f"poison {number}", group=f"main|paper|I{number}")
    for _ in range(MAX_RECEIVES * 2 + 1):
        for held in queue.receive_all():
            queue.receiver.extend(held.receipt, visibility_s=0)
    seen = {letter.body for _ in range(3) for letter in queue.dead_letters.look(max_messages=10)}
    assert seen == {f"poison {number}" for number in range(12)}


def test_a_batch_is_sent_and_deleted_in_one_go(queue: HeldQueue) -> None:
    batch = [OutgoingMessage(f"b {number}", f"main|paper|I{number}", f"d-{number}") for number in range(10)]
    ids = queue.sender.send_batch(batch)
    received = queue.receive_all()
    assert {message.message_id for message in received} == set(ids)
    assert len(received) == 10
    answers = queue.receiver.delete_batch([message.receipt for message in received])
    assert answers == (None,) * 10
    assert queue.receive_after_visibility() == ()


def test_a_batch_that_was_sent_already_sends_nothing_again(queue: HeldQueue) -> None:
    batch = [OutgoingMessage("a", "main|paper|SPX", "d-1"), OutgoingMessage("b", "main|paper|IXIC", "d-2")]
    assert queue.sender.send_batch(batch) == queue.sender.send_batch(batch)
    assert len(queue.receive_all()) == 2


def test_many_of_one_group_are_sent_together_and_arrive_in_their_order(queue: HeldQueue) -> None:
    many = [OutgoingMessage(f"b {number}", "main|paper|SPX", f"d-{number}") for number in range(13)]
    ids = queue.sender.send_batch(many)
    assert len(set(ids)) == len(many)
    arrived = []
    while received := queue.receive_all():
        queue.receiver.delete_batch([message.receipt for message in received])
        arrived += [message.body for message in received]
    assert arrived == [message.body for message in many]


def test_a_repetition_within_a_batch_is_the_first_one(queue: HeldQueue) -> None:
    message = OutgoingMessage("a", "main|paper|SPX", "d-1")
    first, again = queue.sender.send_batch([message, message])
    assert first == again
    assert len(queue.receive_all()) == 1


def test_a_batch_of_deletions_says_which_came_too_late(queue: HeldQueue) -> None:
    queue.send("a")
    (stale,) = queue.receive_all()
    (fresh,) = queue.receive_after_visibility()
    late, done = queue.receiver.delete_batch([stale.receipt, fresh.receipt])
    assert isinstance(late, Fault)
    assert late.code is ErrorCode.RECEIPT_EXPIRED
    assert done is None


def test_a_receiver_waits_for_a_message(queue: HeldQueue) -> None:
    sender = threading.Timer(0.2, lambda: queue.send("late"))
    sender.start()
    received = queue.receiver.receive(max_messages=1, wait_s=5.0)
    sender.join()
    if queue.lives_in_real_time:
        assert _bodies(received) == ["late"]
    else:
        assert _bodies(received or queue.receive_all()) == ["late"]


def _exhaust(queue: HeldQueue) -> None:
    """Receive and give back until the queue sets aside what it holds."""
    for _ in range(MAX_RECEIVES):
        (held,) = queue.receiver.receive(max_messages=1, wait_s=0.0)
        queue.receiver.extend(held.receipt, visibility_s=0)
    assert queue.receive_all() == ()
