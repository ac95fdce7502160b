"""`status`, `executor` and `doctor`: what is going on, and the process that acts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from datetime import datetime

    from home.paths import Home
    from ledger.live import PassedOver
    from when_to_invest.history import DecisionRecord


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(status)
    app.command()(executor)
    app.command()(doctor)


@dataclass(frozen=True, slots=True)
class Told:
    """What a home's journal proves: its decisions, oldest first, and which events changed nothing."""

    decisions: Mapping[str, DecisionRecord] = field(default_factory=dict)
    passed_over: Sequence[PassedOver] = ()
    passed_over_count: int = 0


def told_by(home: Home) -> Told:
    """Fold the journal with the signatures that this home believes; nothing without a journal.

    Raises:
        Fault: what opening and folding raise.
    """
    from cli.registry import open_registry
    from home.settings import read_settings
    from ledger.opening import has_ledger

    if not has_ledger(read_settings(home).ledger, home):
        return Told()
    with open_registry(home, is_read_only=True) as registry:
        ledger = registry.ledger
        return Told(dict(ledger.decisions), tuple(ledger.passed_over), ledger.passed_over_count)


def decisions_of(home: Home) -> Mapping[str, DecisionRecord]:
    """Return one record a decision, oldest first, as gate and executor fold them."""
    return told_by(home).decisions


def status(
    decision_id: Annotated[
        str | None, typer.Argument(help="Id of a decision (d-…); all of them without it.")
    ] = None,
    *,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show decisions with their verdicts, orders and fills, as the journal proves them."""
    from cli.cards import decision_card, decision_json
    from cli.execution_card import execution_lines
    from cli.execution_json import measures_json
    from cli.output import console, print_json
    from cli.passed_over import passed_over_json, tell_passed_over
    from cli.plan_card import plan_json, plan_lines
    from executor.quality.analysis import measured
    from home.paths import home_at

    told = told_by(home_at(home))
    if decision_id is None:
        _show_all(home_at(home), told, as_json=json)
        return
    record = _known(told, decision_id)
    skipped = [each for each in told.passed_over if each.decision_id == decision_id]
    now = _now(home_at(home), record)
    executed = next(iter(measured([record], {}, now=now)), None)
    if json:
        told_of = {
            "execution": executed and measures_json(executed),
            "plan": plan_json(record, now=now),
            "passed_over": passed_over_json(skipped),
        }
        print_json(decision_json(record) | told_of)
        return
    console().print(decision_card(record))
    for line in (*plan_lines(record, now=now), *(execution_lines(executed) if executed else ())):
        console().print(line)
    tell_passed_over(skipped, len(skipped))


def _known(told: Told, decision_id: str) -> DecisionRecord:
    record = told.decisions.get(decision_id)
    if record is None:
        raise Fault(
            ErrorCode.UNKNOWN_DECISION,
            f"the journal of this home knows no decision {decision_id!r}",
            fix="list them with `when-to-invest status`",
        )
    return record


def _now(home: Home, record: DecisionRecord) -> datetime:
    """Return the home's instant; without a clock, as for a copied journal, when its last event happened."""
    from home.clock import clock_of
    from home.settings import read_settings

    try:
        return clock_of(home, read_settings(home).mode).now()
    except Fault:
        return record.events[-1].at


def _show_all(home: Home, told: Told, *, as_json: bool) -> None:
    from cli.cards import decision_json, decision_table
    from cli.commands.dead_letters import letters_of
    from cli.commands.halting import halt_json, halts_of
    from cli.output import console, print_json
    from cli.passed_over import passed_over_json, tell_passed_over
    from when_to_invest.breakers import halt_line

    records = list(told.decisions.values())
    halts = halts_of(home)
    waiting = len(letters_of(home).waiting())
    if as_json:
        shown = [decision_json(record) for record in records]
        halted = [halt_json(item) for item in halts]
        skipped = passed_over_json(told.passed_over)
        print_json({"decisions": shown, "dead_letters": waiting, "halts": halted, "passed_over": skipped})
        return
    for item in halts:
        console().print(halt_line(item), style="bold red", markup=False)
    console().print(decision_table(records))
    if waiting:
        console().print(
            f"[bold red]{waiting} dead letters halt their groups[/]; see `when-to-invest dlq list`"
        )
    tell_passed_over(told.passed_over, told.passed_over_count)


def executor(
    *,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when nothing is left to do at the present clock.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,  # noqa: ARG001 - it logs JSON lines either way
) -> int:
    """Run the executor in the foreground: verify, judge again, send, record."""
    from executor.main import run
    from home.paths import home_at

    return run(home_at(home), until_idle=until_idle)


def doctor(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Check the home: settings, clock, keys, data, journal and running services."""
    from cli.checkup import examine
    from cli.output import console, print_json
    from home.paths import home_at

    findings = examine(home_at(home))
    is_healthy = all(finding.is_ok for finding in findings)
    if json:
        print_json(
            {
                "ok": is_healthy,
                "checks": [
                    {"name": item.name, "ok": item.is_ok, "found": item.found, "fix": item.fix}
                    for item in findings
                ],
            }
        )
        return EXIT_OK if is_healthy else EXIT_REFUSED
    out = console()
    for item in findings:
        mark = "[green]ok  [/]" if item.is_ok else "[bold red]fail[/]"
        out.print(f"{mark} {item.name:<10} {item.found}" + (f"  → {item.fix}" if item.fix else ""))
    return EXIT_OK if is_healthy else EXIT_REFUSED
