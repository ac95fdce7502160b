"""Many callers at the same moment: each is judged, shown and journalled as itself and nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from home.callers import CallerSettings
from home.paths import Home
from policies.caller_limits import limits_of_callers
from policies.limits import HARD_LIMITS
from tests.tool_servers.calling import answer_of, call, error_of
from tests.tool_servers.issuing import ISSUER
from tests.tool_servers.open_server import call_tool, opened, with_client
from tests.tool_servers.orders_door import Opened
from tool_servers.bridge import build as bridge
from tool_servers.orders.main import build
from when_to_invest.callers import Identity, local_caller, subject_mark

ROUNDS = 4
EVERYTHING = {
    "propose_order",
    "propose_worked_order",
    "get_order",
    "list_orders",
    "request_cancel",
    "get_portfolio",
    "explain_limits",
}


@dataclass(frozen=True)
class Person:
    """A caller with what the gate says to 5,000 USD in its name, and the tools it sees."""

    name: str
    subject: str
    verdict: str
    tools: frozenset[str] = frozenset(EVERYTHING)

    @property
    def identity(self) -> Identity:
        return Identity(issuer=ISSUER, subject=subject_mark(ISSUER, self.subject))


TIGHT = Person("tight", "person@tight.example", "refused")
WIDE = Person("wide", "person@wide.example", "approved")
NARROW = Person("narrow", "person@narrow.example", "approved", frozenset({"propose_order"}))
PEOPLE = (TIGHT, WIDE, NARROW)
CALLERS = {
    "tight": CallerSettings(subject=TIGHT.subject, limits={"max_order_notional_usd": "2000"}),
    "wide": CallerSettings(subject=WIDE.subject),
    "narrow": CallerSettings(subject=NARROW.subject, tools=("orders.propose_order",)),
}


@pytest.fixture
def place(tmp_path: Path) -> Opened:
    made = Opened(tmp_path, callers=CALLERS)
    limits = limits_of_callers(HARD_LIMITS, {name: item.limits for name, item in CALLERS.items()})
    made.desk.court = replace(made.desk.court, tighter=limits)
    return made


@pytest.fixture
def url(place: Opened) -> Iterator[str]:
    with opened(place.build) as address:
        yield address


def at_once(
    work: Callable[[Person, int], Any], *, people: tuple[Person, ...] = PEOPLE
) -> list[tuple[Person, Any]]:
    """Run `work` for everybody several times, all at the same moment."""
    tasks = [(person, turn) for turn in range(ROUNDS) for person in people]
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [
            (task[0], told)
            for task, told in zip(tasks, pool.map(lambda task: work(*task), tasks), strict=True)
        ]


def test_each_is_judged_by_its_own_limits_and_journalled_under_its_own_mark(place: Opened, url: str) -> None:
    def propose(person: Person, turn: int) -> Any:
        # No two alike: the gate refuses the same order twice within minutes.
        amount = 5000 + 40 * turn + 10 * PEOPLE.index(person)
        asked = {"instrument": "SPX", "side": "buy", "notional_usd": str(amount), "request_id": f"r-{turn}"}
        return answer_of(call_tool(url, place.issuer.token(sub=person.subject), "propose_order", **asked))

    codes: dict[str, set[str]] = {person.name: set() for person in PEOPLE}
    for person, told in at_once(propose):
        assert told["intent"]["proposer"] == person.name
        codes[person.name] |= {reason["code"] for reason in told["reasons"]}
        codes[person.name].add(told["verdict"])
    assert {"refused", "order_notional_exceeded"} <= codes["tight"]
    assert "approved" in codes["wide"] | codes["narrow"]
    assert "order_notional_exceeded" not in codes["wide"] | codes["narrow"]
    proposed = place.journalled("intent_proposed")
    assert len(proposed) == ROUNDS * len(PEOPLE)
    by_name = {person.name: person for person in PEOPLE}
    for event in proposed:
        assert event.identity == by_name[event.caller].identity
        assert event.intent.proposer == event.caller


def test_no_word_of_an_issuer_for_a_person_reaches_the_journal(place: Opened, url: str) -> None:
    asked = {"instrument": "SPX", "side": "buy", "notional_usd": "5000", "request_id": "r-1"}
    answer_of(call_tool(url, place.issuer.token(sub=WIDE.subject), "propose_order", **asked))
    written = json.dumps([row.event.model_dump(mode="json") for row in place.bench.journal.recorded])
    assert "@" not in written
    assert WIDE.identity.subject in written


def test_each_sees_its_own_tools_whatever_others_look_at(place: Opened, url: str) -> None:
    def look(person: Person, _: int) -> set[str]:
        token = place.issuer.token(sub=person.subject)
        return {tool.name for tool in with_client(url, token, lambda client: client.list_tools()).tools}

    for person, seen in at_once(look):
        assert seen == person.tools, person.name


def test_a_caller_s_rate_holds_under_a_rush_and_is_its_own(tmp_path: Path) -> None:
    slow = CALLERS | {"wide": CallerSettings(subject=WIDE.subject, calls_per_minute=5)}
    place = Opened(tmp_path, callers=slow)

    def ask(person: Person, _: int) -> Any:
        return call_tool(url, place.issuer.token(sub=person.subject), "explain_limits")

    with opened(place.build) as url:
        answers = at_once(ask, people=(TIGHT, WIDE))
    refused = [(person, error_of(told)["code"]) for person, told in answers if told.is_error]
    # One at once, and one more every twelve seconds on a very slow machine.
    assert set(refused) == {(WIDE, "rate_limited")}
    assert len(refused) < ROUNDS


def test_who_started_the_process_is_the_local_caller(place: Opened) -> None:
    asked = {"instrument": "SPX", "side": "buy", "notional_usd": "5000", "request_id": "r-1"}
    answer_of(call(build(place.desk), "propose_order", asked, mode="auto"))
    (event,) = place.journalled("intent_proposed")
    assert (event.caller, event.identity) == ("local", local_caller("local").identity)


def test_over_stdio_the_bridge_asks_in_the_agent_s_name(place: Opened, url: str) -> None:
    home = Home(place.issuer.keys_file.parent)
    home.run.mkdir()
    (home.run / "services.json").write_text(json.dumps({"orders": {"url": url, "pid": 1}}))
    (home.run / "agent.token").write_text("agent-token\n")
    asked = {"instrument": "SPX", "side": "buy", "notional_usd": "5000", "request_id": "r-1"}

    async def once() -> None:
        async with Client(bridge(home, "orders")) as client:
            answer_of(await client.call_tool("propose_order", asked))

    asyncio.run(once())
    (event,) = place.journalled("intent_proposed")
    assert (event.caller, event.identity) == ("agent", local_caller("agent").identity)
