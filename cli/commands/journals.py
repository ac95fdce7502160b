"""`journal verify|anchor|migrate|export|replay`: proof that nothing recorded was changed or lost."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from home.ledger import LedgerSettings
    from home.paths import Home
    from ledger.anchors import S3Anchors
    from ledger.live import LiveLedger
    from ledger.verify import FirstBad, Verification


@unique
class ExportForm(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="journal", help="The hash-chained record of everything that happened.")
    group.command()(verify)
    group.command()(anchor)
    group.command()(migrate)
    group.command()(export)
    group.command("replay")(replay_journal)
    app.add_typer(group)


def verify(
    *,
    file: Annotated[
        Path | None, typer.Option(help="Check this export (JSON lines or a plain pg_dump) instead.")
    ] = None,
    anchors: Annotated[
        bool, typer.Option("--anchors", help="Compare with the heads kept in ledger.anchors.bucket too.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Check the hash chain; exit 0 clean, 1 corrupt (naming the first bad event), 2 unreadable."""
    from home.paths import home_at
    from home.settings import read_settings
    from ledger.checking import check_ledger, check_links
    from ledger.dump import links_in

    at = home_at(home)
    settings = read_settings(at).ledger
    result = check_links(links_in(file), witness=None) if file else check_ledger(settings, at)
    compared = 0
    if result.ok and anchors:
        bad, compared = _compared(settings, at)
        result = replace(result, ok=bad is None, first_bad=bad)
    _tell(result, anchors=compared, as_json=json)
    return EXIT_OK if result.ok else EXIT_REFUSED


def _tell(result: Verification, *, anchors: int, as_json: bool) -> None:
    from cli.output import console, print_json

    bad = result.first_bad
    if as_json:
        first_bad = None if bad is None else {"sequence": bad.sequence, "why": bad.why}
        told = {"ok": result.ok, "events": result.events, "head": result.head.hash}
        print_json({**told, "first_bad": first_bad, "anchors": anchors})
    elif bad is None:
        beside = f", {anchors} anchors agree" if anchors else ""
        console().print(
            f"[bold green]journal ok[/] {result.events} events, head {result.head.hash[:16]}…{beside}"
        )
    else:
        place = "outside the events" if bad.sequence is None else f"at event {bad.sequence}"
        console(is_error=True).print(f"[bold red]journal corrupt[/] {place}: {bad.why}")


def _compared(settings: LedgerSettings, home: Home) -> tuple[FirstBad | None, int]:
    """Return where the journal contradicts an anchor, and how many anchors there are."""
    from ledger.anchors import contradiction
    from ledger.opening import open_ledger

    anchors = list(_bucket(settings).read())
    with closing(open_ledger(settings, home, is_read_only=True)) as journal:
        return contradiction(journal, anchors), len(anchors)


def _bucket(settings: LedgerSettings) -> S3Anchors:
    from ledger.anchors import S3Anchors, connect_s3

    if not settings.anchors.bucket:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "no bucket for anchors is named",
            fix="name one with object lock in config.toml: [ledger.anchors] bucket = ...",
        )
    return S3Anchors(connect_s3(settings.anchors), settings.anchors)


def anchor(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """Keep the present head in a bucket with object lock, where nobody can change it."""
    from cli.output import console, print_json
    from home.clock import WallClock
    from home.paths import home_at
    from home.settings import read_settings
    from ledger.opening import open_ledger
    from when_to_invest.canonical import utc_text

    at = home_at(home)
    settings = read_settings(at).ledger
    bucket = _bucket(settings)
    with closing(open_ledger(settings, at, is_read_only=True)) as journal:
        kept = bucket.write(journal.head(), at=WallClock().now())
    if json:
        print_json({"events": kept.head.sequence, "head": kept.head.hash, "at": utc_text(kept.at)})
    else:
        console().print(f"[bold green]anchored[/] event {kept.head.sequence}, head {kept.head.hash[:16]}…")


def migrate(
    *,
    owner_url: Annotated[
        str | None,
        typer.Option(
            help="postgresql://OWNER@HOST/DATABASE, the password in the environment; the home's file without."
        ),
    ] = None,
    writer: Annotated[str | None, typer.Option(help="Role that may read and insert.")] = None,
    reader: Annotated[str | None, typer.Option(help="Role that may read.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Bring the journal up to this version's layout: the home's file, or a database as its owner."""
    from cli.output import console, print_json
    from home.paths import home_at

    if owner_url is None:
        reached = _migrated_file(home_at(home), roles=(writer, reader))
    else:
        from ledger.postgres_migrations import bring_up_to_date

        reached = bring_up_to_date(owner_url, writer=writer, reader=reader)
    if json:
        print_json({"migration": reached})
    else:
        console().print(f"[bold green]journal ready[/] at migration {reached}")


def _migrated_file(home: Home, *, roles: tuple[str | None, str | None]) -> int:
    from home.settings import read_settings
    from ledger.sqlite_migrations import bring_file_up_to_date

    if read_settings(home).ledger.url or any(roles):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the journal stands in a database, or roles were named, and no owner is given",
            fix="add --owner-url postgresql://OWNER@HOST/DATABASE",
        )
    return bring_file_up_to_date(home.journal)


def export(
    *,
    to: Annotated[
        Path | None,
        typer.Option(help="File to write (a directory for csv and parquet); standard output without."),
    ] = None,
    form: Annotated[
        ExportForm,
        typer.Option(
            "--format", help="jsonl: whole and verifiable; csv, parquet: for auditors, people covered."
        ),
    ] = ExportForm.JSONL,
    key_file: Annotated[
        Path | None, typer.Option(help="Key of the pseudonyms, in hexadecimal (default: one the home makes).")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write every event: as JSON lines with its hashes, or as a table without people for auditors."""
    from cli.journal_export import AuditTable, export_lines, export_table
    from home.paths import home_at
    from home.settings import read_settings
    from ledger.opening import open_ledger

    at = home_at(home)
    with closing(open_ledger(read_settings(at).ledger, at, is_read_only=True)) as journal:
        if form is ExportForm.JSONL:
            export_lines(journal, to)
        else:
            export_table(journal, AuditTable(to, form.value, key_file, at), as_json=json)


def replay_journal(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """Fold the journal from its first event, as gate and executor do, and show the state that it proves."""
    from cli.cards import account_table
    from cli.output import console, print_json
    from cli.passed_over import passed_over_json, tell_passed_over
    from cli.registry import open_registry
    from home.paths import home_at

    with open_registry(home_at(home), is_read_only=True) as registry:
        ledger = registry.ledger
        if json:
            skipped = {
                "passed_over": passed_over_json(ledger.passed_over),
                "passed_over_count": ledger.passed_over_count,
            }
            print_json(_state_json(ledger) | skipped)
        else:
            console().print(account_table(ledger.book))
            tell_passed_over(ledger.passed_over, ledger.passed_over_count)


def _state_json(ledger: LiveLedger) -> dict[str, object]:
    from when_to_invest.money import decimal_text

    book = ledger.book
    return {
        "events": ledger.head.sequence,
        "head": ledger.head.hash,
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
