"""`halt`: stop now, with nothing but a disk. Going on takes people: `resume` and `settle`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.options import HomeOption, JsonOption

if TYPE_CHECKING:
    from datetime import datetime

    from home.paths import Home
    from when_to_invest.breakers import Halt

QUIET_S: Final = 0.3
"""Longest wait for a write that was under way when the latch fell."""
JOURNAL_S: Final = 0.3
"""Longest wait for the journal; a service tells it later."""
SCOPE_HELP: Final = "system, account:NAME, venue:NAME or instrument:ID."

ScopeOption = Annotated[str, typer.Option("--scope", help=SCOPE_HELP)]


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(halt)


def halt(
    *,
    scope: ScopeOption = "system",
    reason: Annotated[str, typer.Option("--reason", help="Why, at most 200 characters.")] = "",
    reducing: Annotated[
        bool, typer.Option("--reducing", help="Let orders through that shrink a position.")
    ] = False,
    by: Annotated[str, typer.Option("--as", help="Who halts; your user's name without it.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Stop trading in a scope at once: nothing new is sent, open orders are cancelled."""
    from cli.output import print_json
    from home.latch import Latch
    from home.paths import home_at
    from when_to_invest.breakers import Halt, TradingState

    place = home_at(home)
    latch = Latch(place.make().halts)
    state = TradingState.REDUCING if reducing else TradingState.HALTED
    dropped = latch.drop(Halt(scope, state, _now(place), by or user_name(), reason or "no reason given"))
    is_quiet = latch.quiet(timeout_s=QUIET_S)
    is_journalled = _is_told(place, dropped)
    if json:
        print_json({**halt_json(dropped), "quiet": is_quiet, "journalled": is_journalled})
    else:
        _show(dropped, is_quiet=is_quiet, is_journalled=is_journalled)


def _show(dropped: Halt, *, is_quiet: bool, is_journalled: bool) -> None:
    from cli.output import console
    from when_to_invest.breakers import halt_line

    out = console()
    out.print(halt_line(dropped), style="bold red", markup=False)
    out.print(
        "no write is under way" if is_quiet else "a write is under way: the executor cancels what comes of it"
    )
    if not is_journalled:
        out.print("the journal did not answer: the latch holds, and a service tells the journal later")
    out.print("open orders are cancelled by the executor; see `when-to-invest status`", style="dim")


def halts_of(home: Home) -> tuple[Halt, ...]:
    """Return everything that is halted in a home, by its journal and its latches.

    Raises:
        Fault: when journal or settings cannot be read; the latches hold all the same.
    """
    from cli.registry import open_registry
    from home.latch import Latch
    from home.settings import read_settings
    from ledger.halting import in_force
    from ledger.opening import has_ledger

    latch = Latch(home.halts)
    if not has_ledger(read_settings(home).ledger, home):
        return latch.read()
    with open_registry(home, is_read_only=True) as registry:
        return in_force(latch, registry.ledger.book)


def halt_json(halt: Halt) -> dict[str, str]:
    """Return the object that `status --json` shows of a halt."""
    from when_to_invest.canonical import utc_text

    told = {"scope": halt.scope, "state": halt.state.value, "since": utc_text(halt.at)}
    return {**told, "by": halt.by, "why": halt.why, "latch_id": halt.latch_id}


def _now(home: Home) -> datetime:
    """Return the home's instant, or the machine's when its clock or settings cannot be read."""
    from home.clock import WallClock, clock_of
    from home.settings import read_settings
    from when_to_invest.errors import Fault

    try:
        return clock_of(home, read_settings(home).mode).now()
    except Fault:
        return WallClock().now()


def user_name() -> str:
    """Return the name of this machine's user as the journal can hold it."""
    import getpass
    import re

    try:
        name = getpass.getuser().lower()
    except (KeyError, OSError):
        name = ""
    return re.sub(r"[^a-z0-9_-]", "-", name).strip("-_")[:32] or "operator"


def _is_told(home: Home, dropped: Halt) -> bool:
    """Tell the journal without waiting long for it; return whether it holds the halt."""
    import threading

    from cli.telling import tell

    is_told = threading.Event()
    # The journal may be locked for as long as it likes: this thread ends with the process.
    threading.Thread(target=tell, args=(home, dropped, is_told), daemon=True).start()
    return is_told.wait(JOURNAL_S)
