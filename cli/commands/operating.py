"""`status`, `executor` and `doctor`: what is going on, and the process that acts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home
    from when_to_invest.history import DecisionRecord


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(status)
    app.command()(executor)
    app.command()(doctor)


def decisions_of(home: Home) -> dict[str, DecisionRecord]:
    """Fold the journal into one record a decision, oldest first; none without a journal."""
    from home.settings import read_settings
    from ledger.opening import has_ledger, open_ledger
    from when_to_invest.history import decisions

    settings = read_settings(home).ledger
    if not has_ledger(settings, home):
        return {}
    journal = open_ledger(settings, home, is_read_only=True)
    try:
        return decisions(row.event for row in journal.read())
    finally:
        journal.close()


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
    from cli.output import console, print_json
    from home.paths import home_at

    records = decisions_of(home_at(home))
    if decision_id is None:
        _show_all(home_at(home), list(records.values()), as_json=json)
        return
    record = records.get(decision_id)
    if record is None:
        raise Fault(
            ErrorCode.UNKNOWN_DECISION,
            f"the journal of this home knows no decision {decision_id!r}",
            fix="list them with `when-to-invest status`",
        )
    if json:
        print_json(decision_json(record))
    else:
        console().print(decision_card(record))


def _show_all(home: Home, records: list[DecisionRecord], *, as_json: bool) -> None:
    from cli.cards import decision_json, decision_table
    from cli.commands.dead_letters import letters_of
    from cli.commands.halting import halt_json, halts_of
    from cli.output import console, print_json
    from when_to_invest.breakers import halt_line

    halts = halts_of(home)
    waiting = len(letters_of(home).waiting())
    if as_json:
        shown = [decision_json(record) for record in records]
        halted = [halt_json(item) for item in halts]
        print_json({"decisions": shown, "dead_letters": waiting, "halts": halted})
        return
    for item in halts:
        console().print(halt_line(item), style="bold red", markup=False)
    console().print(decision_table(records))
    if waiting:
        told = f"[bold red]{waiting} dead letters halt their groups[/]"
        console().print(f"{told}; see `when-to-invest dlq list`")


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
