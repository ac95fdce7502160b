"""`amend`: less, or a stricter limit, of an order that a plan works."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import HomeOption, JsonOption
from when_to_invest.errors import ErrorCode, Fault


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(amend)


def amend(
    decision_id: Annotated[str, typer.Argument(help="Id of a decision (d-…) that a plan works.")],
    *,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="How much is wanted in all, in base units.")
    ] = None,
    limit: Annotated[
        str | None, typer.Option("--limit", help="The limit price in USD that every order keeps.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for less, or a stricter limit, of an order that a plan works; it never loosens."""
    from cli.cards import decision_card, decision_json
    from cli.commands.operating import decisions_of
    from cli.operator_client import call_orders
    from cli.output import console, print_json
    from home.paths import home_at

    if quantity is None and limit is None:
        raise Fault(ErrorCode.BAD_ARGUMENT, "nothing is asked for", fix="give --quantity or --limit, or both")
    place = home_at(home)
    wanted = {"decision_id": decision_id, "quantity": quantity, "limit_price_usd": limit}
    call_orders(place, "/amendments", {name: value for name, value in wanted.items() if value is not None})
    record = decisions_of(place)[decision_id]
    if json:
        print_json(decision_json(record))
        return
    console().print(decision_card(record))
