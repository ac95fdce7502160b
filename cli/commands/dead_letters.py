"""`dlq list|explain|redrive|discard`: what the order queue gave up on, and a person's answer to it.

Reading needs the journal alone. An answer goes through the gate's own process: nothing here
holds a right to the queue, and nothing is ever sent again as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home
    from when_to_invest.letters import Letter, Letterbox

MessageArgument = Annotated[str, typer.Argument(help="Id of a dead letter's message.")]

ADVICE = {
    "bad_signature": "nobody we know sealed it: find out who may send to the queue, then discard it",
    "unreadable_message": "it is no envelope: find out who may send to the queue, then discard it",
    "not_in_journal": "the journal never sealed these bytes: find out who sent them, then discard it",
    "unknown_decision": "the journal knows no such decision: find out who sent it, then discard it",
    "superseded": "its decision was sealed anew since: discard it",
    "dealt_with": "its decision went its way: discard it",
}
"""What to do by the letter's code; every other code may be redriven."""


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="dlq", help="Dead letters of the order queue; each halts its group.")
    group.command("list")(list_letters)
    for command in (explain, redrive, discard):
        group.command()(command)
    app.add_typer(group)


def letters_of(home: Home) -> Letterbox:
    """Fold the journal into its dead letters; none without a journal."""
    from home.settings import read_settings
    from ledger.opening import has_ledger, open_ledger
    from when_to_invest.letters import Letterbox, letterbox

    settings = read_settings(home).ledger
    if not has_ledger(settings, home):
        return Letterbox()
    journal = open_ledger(settings, home, is_read_only=True)
    try:
        return letterbox(row.event for row in journal.read())
    finally:
        journal.close()


def letter_of(home: Home, message_id: str) -> Letter:
    """Return one letter, answered or not.

    Raises:
        Fault: `unknown_message`.
    """
    letter = letters_of(home).letters.get(message_id)
    if letter is None:
        raise Fault(
            ErrorCode.UNKNOWN_MESSAGE,
            f"the journal knows no dead letter {message_id[:60]!r}",
            fix="list them with `when-to-invest dlq list`",
        )
    return letter


def letter_json(letter: Letter) -> dict[str, Any]:
    """Return a letter as the command line's JSON shows it."""
    from when_to_invest.letters import halted_scope

    arrived, answered = letter.arrived, letter.answered
    return {
        "message_id": arrived.message_id,
        "decision_id": arrived.claimed_decision_id,
        "group": arrived.group,
        "halted": halted_scope(arrived.group),
        "arrived_at": arrived.model_dump(mode="json")["at"],
        "deliveries": arrived.receive_count,
        "code": arrived.code,
        "message": arrived.message,
        "answer": answered.answer.value if answered else None,
        "answered_by": answered.by if answered else None,
        "why": answered.why if answered else None,
    }


def list_letters(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that were answered, too.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what the queue set aside and nobody has answered."""
    from rich.markup import escape

    from cli.output import console, print_json
    from home.paths import home_at

    box = letters_of(home_at(home))
    shown = tuple(box.letters.values()) if every else box.waiting()
    if json:
        print_json({"dead_letters": [letter_json(letter) for letter in shown]})
        return
    for letter in shown:
        told = letter_json(letter)
        state = told["answer"] or f"[bold red]halts {escape(told['halted'])}[/]"
        console().print(f"{escape(told['message_id'])}  {escape(told['code'])}  {state}")
    if not shown:
        console().print("no dead letters wait")


def explain(message_id: MessageArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Say which decision a letter is about, why it died, and what the journal knows of it."""
    from rich.markup import escape

    from cli.cards import decision_card, decision_json
    from cli.commands.operating import decisions_of
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    told = letter_json(letter_of(place, message_id))
    record = decisions_of(place).get(told["decision_id"] or "")
    todo = ADVICE.get(told["code"], "have it judged and sealed anew with `when-to-invest dlq redrive`")
    if json:
        print_json(told | {"advice": todo, "decision": decision_json(record) if record else None})
        return
    out = console()
    out.print(f"[bold]{escape(message_id)}[/] was given up after {told['deliveries']} deliveries")
    out.print(f"  why       {escape(told['code'])}: {escape(told['message'])}")
    out.print(f"  halts     {escape(told['halted'])}; lift it with `when-to-invest resume`")
    out.print(f"  next      {todo}")
    if told["answer"]:
        out.print(f"  answered  {told['answer']} by {told['answered_by']}: {escape(told['why'] or '')}")
    if record is None:
        out.print("  journal   knows nothing of the decision it claims to be")
    else:
        out.print(decision_card(record))


def redrive(
    message_id: MessageArgument,
    *,
    why: Annotated[str, typer.Option(help="Reason, at most 200 characters.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Have a letter's decision judged on fresh facts and sealed anew; its old bytes are never sent."""
    from cli.cards import verdict_lines
    from cli.operator_client import call_orders
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    letter_of(place, message_id)
    answer = call_orders(place, "/dead-letters/redrive", {"message_id": message_id, "why": why})
    if json:
        print_json(answer)
    else:
        console().print(verdict_lines(answer))


def discard(
    message_id: MessageArgument,
    *,
    why: Annotated[str, typer.Option(help="Reason, at most 200 characters.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Throw a letter away, saying why; the decision it names is not touched."""
    from cli.operator_client import call_orders
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    letter_of(place, message_id)
    answer = call_orders(place, "/dead-letters/discard", {"message_id": message_id, "why": why})
    if json:
        print_json(answer)
    else:
        console().print(f"[bold]discarded[/] {message_id}")
