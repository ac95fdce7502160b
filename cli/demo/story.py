"""The demo's acts, told as they happen. Every figure printed was just computed or journalled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from cli.cards import decision_card, reason_table
from cli.recommendation_card import recommendation_card
from when_to_invest.canonical import utc_text
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.money import decimal_text

if TYPE_CHECKING:
    from cli.demo.stage import Stage

AFTER_THE_CLOSE: Final = timedelta(hours=1)
IN_FLIGHT: Final = (DecisionState.SENDING, DecisionState.UNKNOWN)


def closes_after(stage: Stage, instrument: str, instant: datetime, *, count: int) -> Iterator[datetime]:
    """Yield instants one hour after each of the next `count` session closes."""
    from market_data.source import snapshot
    from when_to_invest.market import closed_at

    # Looking ahead is the demo director's privilege: nobody else sees these dates.
    seen = snapshot(stage.home, instrument, as_of=instant + timedelta(days=4 * count + 10))
    item = seen.instrument
    for index in range(len(seen.bars)):
        close = closed_at(seen.bars.opened_at(index), interval=item.interval, session=item.session)
        if close > instant and count > 0:
            count -= 1
            yield close + AFTER_THE_CLOSE


class Story:
    """Plays the acts on a stage and prints them; raises when one does not come out right."""

    def __init__(self, stage: Stage, out: Console, days: Iterator[datetime]) -> None:
        self._stage = stage
        self._out = out
        self._days = days
        self._acts = 0

    def tell(self) -> None:
        """Play every act in order."""
        self._the_question()
        self._approved()
        self._refused()
        self._held_then_approved()
        self._killed_between_send_and_answer()
        self._proven()

    def _act(self, title: str) -> None:
        self._acts += 1
        self._out.print()
        self._out.print(Rule(f"[bold]{self._acts}  {title}", align="left", style="cyan"))

    def _say(self, text: str) -> None:
        self._out.print(Text(text, style="dim"))

    def _show(self, thing: RenderableType) -> None:
        self._out.print(Padding(thing, (0, 2)))

    def _hear(self, question: str) -> str:
        self._out.print(Text.assemble(("you    ", "bold"), question))
        return question

    def _tell(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Print the agent's verdict and what it says of its proposals; the rest stands on the cards."""
        paragraphs = str(answer["text"]).split("\n\n")
        for text in [paragraphs[0], *(part for part in paragraphs[1:] if part.startswith("Proposal "))]:
            self._out.print(Text.assemble(("agent  ", "bold cyan"), text.partition("\n")[0]))
        return answer

    def _ask(self, question: str) -> dict[str, Any]:
        return self._tell(self._stage.ask(self._hear(question)))

    def _next_day(self) -> None:
        now = next(self._days)
        self._stage.clock.move_to(now)
        self._say(f"       the replay clock moves to {utc_text(now)[:16].replace('T', ' ')} UTC")

    def _decision(self, answer: dict[str, Any]) -> str:
        decisions: list[str] = answer["decisions"]
        if len(decisions) != 1:
            raise RuntimeError(f"the agent was to propose once and proposed {len(decisions)} times")
        return decisions[0]

    def _the_question(self) -> None:
        self._act("An analyst asks. The agent reads real bars through the market server")
        answer = self._ask("Is now the time to invest 8,000 USD in SPX?")
        card = Recommendation.model_validate_json(json.dumps(answer["recommendation"]))
        self._show(recommendation_card(card, budget_usd=None))

    def _approved(self) -> None:
        self._act("It proposes. The gate approves, the queue carries, the executor fills")
        answer = self._ask("Go ahead: propose an order for SPX with 8,000 USD.")
        decision_id = self._decision(answer)
        self._stage.wait_for_state(decision_id, DecisionState.WORKING)
        self._say("       the order rests at the paper venue until the next session opens")
        self._next_day()
        self._show(decision_card(self._filled(decision_id)))

    def _refused(self) -> None:
        self._act("It asks for too much. The gate refuses, with every reason at once")
        answer = self._ask("Place an order for SPX with 400,000 USD.")
        record = self._stage.record(self._decision(answer))
        if record.state is not DecisionState.REFUSED:
            raise RuntimeError(f"an order of 400,000 USD was not refused but {record.state.value}")
        self._show(reason_table(reason.model_dump() for reason in record.reasons))

    def _held_then_approved(self) -> None:
        self._act("It asks for more than it may alone. A second key decides")
        answer = self._ask("Propose an order for IXIC with 14,000 USD.")
        decision_id = self._decision(answer)
        record = self._stage.wait_for_state(decision_id, DecisionState.HELD)
        self._show(reason_table(reason.model_dump() for reason in record.reasons))
        told = self._stage.approve(decision_id)
        self._say(f"       the second key signs this exact intent: {told['verdict']}")
        self._stage.wait_for_state(decision_id, DecisionState.WORKING)
        self._next_day()
        self._show(decision_card(self._filled(decision_id)))

    def _killed_between_send_and_answer(self) -> None:
        self._act("The executor is killed between sending and hearing back")
        known = self._stage.decision_ids()
        with ThreadPoolExecutor(max_workers=1) as meanwhile:
            question = self._hear("Go ahead with SPX, up to 15,000 USD in all.")
            asking = meanwhile.submit(self._stage.ask, question)
            decision_id = self._stage.wait_for_new_decision(known)
            self._stage.wait_for_order_at_venue(decision_id)
            before = self._stage.record(decision_id)
            pid = self._stage.kill_executor()
            self._say(
                f"       SIGKILL to executor {pid}: the venue has the order, "
                f"the journal only says {before.state.value!r}"
            )
            fresh = self._stage.restarted_executor(former_pid=pid)
            self._say(f"       the supervisor starts executor {fresh}, which asks the venue before all else")
            self._tell(asking.result())
        self._next_day()
        record = self._filled(decision_id)
        if before.state not in IN_FLIGHT or len(record.orders) != 1 or len(record.fills) != 1:
            raise RuntimeError(
                f"killed while {before.state.value}: {len(record.orders)} orders, {len(record.fills)} fills"
            )
        self._show(decision_card(record))
        self._say("       one order, one fill")

    def _filled(self, decision_id: str) -> DecisionRecord:
        record = self._stage.wait_for_state(
            decision_id, DecisionState.FILLED, DecisionState.EXPIRED, DecisionState.CANCELLED
        )
        if record.filled_quantity != record.authorised_quantity:
            raise RuntimeError(
                f"{decision_id} filled {decimal_text(record.filled_quantity)} "
                f"of {decimal_text(record.authorised_quantity)}"
            )
        return record

    def _proven(self) -> None:
        self._act("The journal proves it")
        verified = self._stage.command("journal", "verify")
        if not verified["ok"]:
            raise RuntimeError(f"the journal does not verify: {verified['first_bad']}")
        state = self._stage.command("journal", "replay")
        holdings = ", ".join(f"{item['quantity']} {item['instrument']}" for item in state["positions"])
        lines: list[RenderableType] = [
            Text(f"{verified['events']} events, hash chain intact, head {verified['head'][:16]}…"),
            Text(f"folded again from the first event: {state['cash_usd']['main']} USD and {holdings}"),
        ]
        self._show(Group(*lines))
