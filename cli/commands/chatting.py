"""`chat`: ask the agent, once, in a conversation, or line by line from a script."""

from __future__ import annotations

import sys
from dataclasses import replace
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.question import Question
    from graphs.answer import AgentAnswer
    from home.paths import Home


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(chat)


def chat(
    *,
    once: Annotated[str | None, typer.Option(help="Ask this one question and leave.")] = None,
    thread: Annotated[str | None, typer.Option(help="Continue this conversation.")] = None,
    instrument: Annotated[str | None, typer.Option(help="Instrument, when the question names none.")] = None,
    budget: Annotated[str | None, typer.Option(help="USD, when the question names none.")] = None,
    propose: Annotated[
        bool | None,
        typer.Option("--propose/--no-propose", help="Whether an order may be proposed to the gate."),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Ask the agent about timing; it can propose an order, and cannot place one.

    Without --once, questions are read line by line: from a person at a prompt, or, with
    --json, from a script that gets one JSON object a line.
    """
    from home.paths import home_at
    from when_to_invest.money import parse_amount_usd

    budget_usd = parse_amount_usd(budget, name="--budget") if budget is not None else None
    place = home_at(home)
    if once is None:
        import graphs.run  # noqa: F401 - loaded while the first question is still being typed
    status = EXIT_OK
    for text in _questions(once, is_script=json):
        question = _completed(place, text, instrument=instrument)
        question = replace(
            question,
            budget_usd=question.budget_usd or budget_usd,
            may_propose=question.may_propose if propose is None else propose,
        )
        status = _answer(place, question, thread=thread, as_json=json, is_last=once is not None)
    return status


def _questions(once: str | None, *, is_script: bool) -> Iterator[str]:
    if once is not None:
        yield once
        return
    while True:
        if not is_script:
            sys.stdout.write("\nyou > ")
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _completed(home: Home, text: str, *, instrument: str | None) -> Question:
    from agents.question import understand
    from market_data.catalogue import list_instruments

    question = understand(text, instruments=[item.id for item in list_instruments(home)])
    return replace(question, instrument=question.instrument or instrument)


def _answer(home: Home, question: Question, *, thread: str | None, as_json: bool, is_last: bool) -> int:
    """Ask, print, and return the exit status; in a conversation a fault does not end it."""
    from cli.output import print_fault

    try:
        answer = _ask(home, question, thread=thread)
    except Fault as fault:
        if is_last:
            raise
        print_fault(fault, as_json=as_json)
        return fault.exit_status
    _print(answer, as_json=as_json)
    return EXIT_REFUSED if answer.is_refused else EXIT_OK


def _ask(home: Home, question: Question, *, thread: str | None) -> AgentAnswer:
    from graphs.run import ask_sync

    if question.instrument is None:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the question names no instrument that is known here",
            fix="name one, such as SPX, or give --instrument; `data list` shows them",
        )
    return ask_sync(
        home,
        question.text,
        instrument=question.instrument,
        budget_usd=question.budget_usd,
        horizon_days=question.horizon_days,
        may_propose=question.may_propose,
        thread_id=thread,
    )


def _print(answer: AgentAnswer, *, as_json: bool) -> None:
    from cli.output import console

    if as_json:
        told = answer.model_dump(mode="json")
        told |= {"decisions": list(answer.decisions), "held": list(answer.held)}
        sys.stdout.write(dumps(told, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    from rich.markdown import Markdown

    console().print(Markdown(answer.text))
