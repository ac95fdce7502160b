"""A long read says of every journal, sound or tampered with, what following it link by link says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import Broken, StoredLink, corrupt, follow, follow_all, links_after
from ledger.journal import EMPTY, Head, Recorded
from ledger.live import LiveLedger
from tests.fakes.memory_journal import MemoryJournal
from tests.ledger.journals import drill, flipped, judged
from tests.when_to_invest.samples import Story, one_of_each, order_intent
from when_to_invest.errors import Fault
from when_to_invest.events import Event
from when_to_invest.orders import OrderStep

Read = Callable[[Sequence[StoredLink]], Iterator[Recorded]]
LIVES = [Story(order_intent(request_id=f"r-{n}"), n) for n in range(1, 5)]


def life(story: Story) -> list[Event]:
    """Return a decision's events; every other order is left open."""
    steps: list[Event] = [story.proposed(), story.judged(), story.sealed(), story.queued(), story.received()]
    return [
        *steps,
        story.sending(),
        story.moved(OrderStep.ACKNOWLEDGED),
        story.filled(is_last=story.n % 2 == 0),
    ]


def link_by_link(rows: Sequence[StoredLink]) -> Iterator[Recorded]:
    head = EMPTY
    for row in rows:
        followed = follow(head, row)
        if isinstance(followed, Broken):
            raise corrupt(head.sequence + 1, followed.why)
        yield followed
        head = followed.head


def in_one_go(rows: Sequence[StoredLink]) -> Iterator[Recorded]:
    return follow_all(EMPTY, rows)


class RowsJournal(MemoryJournal):
    """A journal whose rows are read in one of the two ways."""

    def __init__(self, rows: Sequence[StoredLink], way: Read) -> None:
        super().__init__()
        self._rows, self._way = rows, way

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        for recorded in self._way(self._rows):
            self.recorded.append(recorded)
            if recorded.sequence > after:
                yield recorded


def read(rows: Sequence[StoredLink], way: Read) -> tuple[list[Recorded], str]:
    """Return what was read, and what ended it."""
    found: list[Recorded] = []
    try:
        found += way(rows)
    except Fault as fault:
        return found, str(fault)
    return found, ""


def folded(rows: Sequence[StoredLink], way: Read) -> tuple[Head, str, str, str]:
    """Return head, book and decisions after a catching up, and what ended it."""
    live = LiveLedger(RowsJournal(rows, way))
    live.many = 3
    ended_by = ""
    try:
        live.refresh()
    except Fault as fault:
        ended_by = str(fault)
    return live.head, repr(live.book), repr([*live.decisions.items()]), ended_by


@st.composite
def journals(draw: st.DrawFn) -> list[StoredLink]:
    """Return the rows of a journal in which lives run beside each other, with other events between."""
    waiting = [life(story) for story in LIVES[: draw(st.integers(0, len(LIVES)))]]
    others = [*one_of_each()[:1], drill(1), judged(900), judged(3_000)]
    events: list[Event] = []
    while waiting:
        one = draw(st.sampled_from(waiting))
        events.append(one.pop(0))
        waiting = [each for each in waiting if each]
        events += draw(st.lists(st.sampled_from(others), max_size=1))
    return [*links_after(EMPTY, [event.canonical() for event in events])[0]]


MALFORMED = (
    b"",
    b"{}",
    b"null",
    b'{"kind":"nobody knows this"}',
    drill(1).canonical()[:-1],
    drill(1).canonical() + b"}",
    drill(1).canonical() + b"," + drill(2).canonical(),
    drill(1).canonical().replace(b"halted", b"halte\xff"),
    drill(1).canonical().replace(b'"by":"operator"', b'"by":"Operator"'),
    drill(1).canonical().replace(b'"by"', b'"extra":1,"by"'),
)


def chained_anew(rows: Sequence[StoredLink], place: int, content: bytes) -> list[StoredLink]:
    """Put other content in one place and forge every hash from there on."""
    contents = [content for *_, content in rows if isinstance(content, bytes)]
    contents[place] = content
    return [*links_after(EMPTY, contents)[0]]


def with_other(row: StoredLink, column: int, content: object) -> StoredLink:
    """Return the row with other content in one of its columns but the first."""
    place, *columns = row
    columns[column - 1] = content
    named, claimed, event = columns
    return place, named, claimed, event


def with_other_bit(row: StoredLink, column: int, bit: int) -> StoredLink:
    content = row[column]
    assert isinstance(content, bytes)
    return with_other(row, column, flipped(content, bit % (8 * len(content))))


@st.composite
def tampered(draw: st.DrawFn) -> list[StoredLink]:
    """Return a journal's rows after somebody changed a bit, a place, an order or a content."""
    rows = draw(journals().filter(lambda made: len(made) > 2))
    place = draw(st.integers(0, len(rows) - 1))
    match draw(st.sampled_from(["bit", "place", "order", "gap", "twice", "content", "type"])):
        case "bit":
            rows[place] = with_other_bit(rows[place], draw(st.integers(1, 3)), draw(st.integers(0, 2**16)))
        case "place":
            number, *columns = rows[place]
            rows[place] = (number + draw(st.sampled_from([-1, 1])), columns[0], columns[1], columns[2])
        case "order":
            other = (place + 1) % len(rows)
            rows[place], rows[other] = rows[other], rows[place]
        case "gap":
            del rows[place]
        case "twice":
            rows.insert(place, rows[place])
        case "content":
            rows = chained_anew(rows, place, draw(st.sampled_from(MALFORMED)))
        case _:
            odd = draw(st.sampled_from([None, 7, "text"]))
            rows[place] = with_other(rows[place], draw(st.integers(1, 3)), odd)
    return rows


@given(rows=journals())
def test_sound_journals_give_the_same_events_and_the_same_state_either_way(rows: list[StoredLink]) -> None:
    found, ended_by = read(rows, in_one_go)
    assert (found, ended_by) == read(rows, link_by_link)
    assert (len(found), ended_by) == (len(rows), "")
    assert folded(rows, in_one_go) == folded(rows, link_by_link)


@given(rows=tampered())
def test_journals_that_were_tampered_with_end_at_the_same_event_for_the_same_reason(
    rows: list[StoredLink],
) -> None:
    assert read(rows, in_one_go) == read(rows, link_by_link)
    assert folded(rows, in_one_go) == folded(rows, link_by_link)


def test_no_forged_content_and_no_order_of_events_but_their_own_is_read_to_its_end() -> None:
    rows: list[StoredLink] = [*links_after(EMPTY, [event.canonical() for event in life(LIVES[0])[:4]])[0]]
    for content in MALFORMED:
        for place in range(len(rows)):
            found, ended_by = read(chained_anew(rows, place, content), in_one_go)
            assert (len(found), ended_by) == (
                place,
                str(corrupt(place + 1, "it is no event this version knows")),
            )
    for order in permutations(rows):
        assert (read(order, in_one_go)[1] == "") is (list(order) == rows)
