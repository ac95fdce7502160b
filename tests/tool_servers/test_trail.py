"""A decision's trace goes on from its proposal to the queue, whoever's thread decides for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from home.tracing import valid
from tests.tool_servers.bench import Bench, proposal
from tool_servers.orders.trail import MOST_FOLLOWED, Trail

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class RecordedTracer:
    """Keeps (name, parent, own) of every span, in the order they begin."""

    spans: list[tuple[str, str, str]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(1))

    @contextmanager
    def span(self, name: str, *, parent: str = "", **attributes: str) -> Iterator[str]:
        own = f"00-{TRACE}-{next(self.numbers):016x}-01"
        self.spans.append((name, parent, own))
        yield own


def test_gate_and_queue_stand_below_the_proposal_and_the_message_carries_the_last() -> None:
    bench, tracer = Bench(), RecordedTracer()
    desk = bench.desk()
    desk.outbox.trail.tracer = tracer
    answer = desk.propose(proposal(), caller="agent")
    names = [name for name, _, _ in tracer.spans]
    assert names == ["propose", "gate", "queue.send"]
    (_, root, propose), (_, of_gate, _), (_, of_send, send) = tracer.spans
    assert (root, of_gate, of_send) == ("", propose, propose)
    (message,) = bench.queue.receive(max_messages=1, wait_s=0)
    assert message.traceparent == send == valid(send)
    assert send not in message.body
    assert answer.decision_id in message.body


def test_a_decision_that_is_signed_later_goes_on_in_its_own_trace() -> None:
    trail, tracer = Trail(), RecordedTracer()
    trail.tracer = tracer
    with trail.begin("propose", "d-1"):
        pass
    with trail.begin("propose", "d-2"):
        pass
    with trail.begin("approve", "d-1"), trail.step("gate", "d-1"):
        pass
    by_name = {name: (parent, own) for name, parent, own in tracer.spans}
    first_own = tracer.spans[0][2]
    assert by_name["approve"][0] == first_own
    assert by_name["gate"][0] == by_name["approve"][1]


def test_untraced_proposals_send_no_context() -> None:
    bench = Bench()
    bench.desk().propose(proposal(), caller="agent")
    (message,) = bench.queue.receive(max_messages=1, wait_s=0)
    assert message.traceparent == ""


def test_only_so_many_decisions_are_followed() -> None:
    trail = Trail(RecordedTracer())
    for number in range(MOST_FOLLOWED + 10):
        with trail.begin("propose", f"d-{number}"):
            pass
    assert len(trail._places) == MOST_FOLLOWED
    with trail.step("gate", "d-0"):
        pass
    assert trail.tracer.spans[-1][1] == ""  # type: ignore[attr-defined]
