"""`journal verify|export|replay`: proof that nothing recorded was changed, lost or reordered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="journal", help="The hash-chained record of everything that happened.")
    group.command()(verify)
    group.command()(export)
    group.command("replay")(replay_journal)
    app.add_typer(group)


def verify(*, home: HomeOption = None, json: JsonOption = False) -> int:
    """Check the hash chain; exit 0 clean, 1 corrupt (naming the first bad event), 2 unreadable."""
    from cli.output import console, print_json
    from home.paths import home_at
    from home.settings import read_settings
    from ledger.checking import check_ledger

    at = home_at(home)
    result = check_ledger(read_settings(at).ledger, at)
    bad = result.first_bad
    if json:
        first_bad = None if bad is None else {"sequence": bad.sequence, "why": bad.why}
        print_json(
            {"ok": result.ok, "events": result.events, "head": result.head.hash, "first_bad": first_bad}
        )
    elif bad is None:
        console().print(f"[bold green]journal ok[/] {result.events} events, head {result.head.hash[:16]}…")
    else:
        place = "outside the events" if bad.sequence is None else f"at event {bad.sequence}"
        console(is_error=True).print(f"[bold red]journal corrupt[/] {place}: {bad.why}")
    return EXIT_OK if result.ok else EXIT_REFUSED


def export(
    *,
    to: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,  # noqa: ARG001 - the export is JSON lines either way
) -> None:
    """Write every event as one JSON line with its sequence number and hashes."""
    from home.paths import home_at
    from home.settings import read_settings
    from ledger.opening import open_ledger
    from when_to_invest.canonical import canonical_bytes

    at = home_at(home)
    journal = open_ledger(read_settings(at).ledger, at, is_read_only=True)
    try:
        lines = (
            canonical_bytes(
                {
                    "sequence": row.sequence,
                    "previous_hash": row.previous_hash,
                    "hash": row.hash,
                    "event": row.event.model_dump(mode="json"),
                }
            )
            + b"\n"
            for row in journal.read()
        )
        if to is None:
            sys.stdout.buffer.writelines(lines)
        else:
            with to.open("wb") as file:
                file.writelines(lines)
    finally:
        journal.close()


def replay_journal(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """Fold the journal from its first event and show the state that it proves."""
    from cli.cards import account_table
    from cli.output import console, print_json
    from home.paths import home_at
    from home.settings import read_settings
    from ledger.opening import open_ledger
    from when_to_invest.money import decimal_text
    from when_to_invest.portfolio import fold

    at = home_at(home)
    journal = open_ledger(read_settings(at).ledger, at, is_read_only=True)
    try:
        book = fold(row.event for row in journal.read())
        head = journal.head()
    finally:
        journal.close()
    if not json:
        console().print(account_table(book))
        return
    print_json(
        {
            "events": head.sequence,
            "head": head.hash,
            "cash_usd": {account: decimal_text(cash) for account, cash in book.cash_usd.items()},
            "positions": [
                {
                    "account": account,
                    "instrument": instrument,
                    "quantity": decimal_text(position.quantity),
                    "cost_usd": decimal_text(position.cost_usd),
                }
                for (account, instrument), position in book.positions.items()
            ],
            "reserved": sorted(book.reservations),
            "trading_states": {scope: state.value for scope, state in book.trading_states.items()},
        }
    )
