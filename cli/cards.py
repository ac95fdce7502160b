"""What people see: cards and tables drawn from the same values that scripts get as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from when_to_invest.approvals import describe_intent
from when_to_invest.canonical import utc_text
from when_to_invest.history import DecisionRecord
from when_to_invest.money import decimal_text

if TYPE_CHECKING:
    from when_to_invest.instruments import Instrument
    from when_to_invest.portfolio import AccountBook

STATE_STYLE: Final = {
    "filled": "bold green",
    "held": "bold yellow",
    "refused": "bold red",
    "rejected": "bold red",
    "declined": "bold red",
    "quarantined": "bold magenta",
    "unknown": "bold magenta",
}


def usd(amount: Decimal) -> str:
    """Return an amount for people: thousands separated, cents only when there are any."""
    return f"{amount:,.2f} USD" if amount % 1 else f"{amount:,.0f} USD"


def decision_json(record: DecisionRecord) -> dict[str, object]:
    """Return the object that `status --json` promises."""
    return {
        "decision_id": record.decision_id,
        "state": record.state.value,
        "intent": record.intent.model_dump(mode="json"),
        "verdict": None if record.verdict is None else record.verdict.outcome.value,
        "reasons": [reason.model_dump(mode="json") for reason in record.reasons],
        "fills": [fill.model_dump(mode="json") for fill in record.fills],
        "filled_size": decimal_text(record.filled_quantity),
        "authorised_size": decimal_text(record.authorised_quantity),
        "events": [event.model_dump(mode="json") for event in record.events],
    }


def _state(record: DecisionRecord) -> Text:
    state = record.state.value
    return Text(state.replace("_", " "), style=STATE_STYLE.get(state, "bold cyan"))


def decision_table(records: Iterable[DecisionRecord]) -> RenderableType:
    """Return one row a decision; a sentence when there is none."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("decision", "state", "intent", "filled"):
        table.add_column(name)
    for record in records:
        filled = f"{decimal_text(record.filled_quantity)} of {decimal_text(record.authorised_quantity)}"
        table.add_row(record.decision_id, _state(record), describe_intent(record.intent), filled)
    return table if table.row_count else Text("no decisions", style="dim")


def reason_table(reasons: Iterable[Mapping[str, object]]) -> Table:
    """Return every objection of a verdict: figures side by side, and what would pass."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("reason", "limit", "attempted", "unit", "what would pass"):
        table.add_column(name, overflow="fold")
    for reason in reasons:
        table.add_row(*(str(reason[key]) for key in ("code", "limit", "attempted", "unit", "fix")))
    return table


def event_line(event: object) -> Text:
    """Return one event of a decision's history in a line."""
    kind = str(getattr(event, "kind", "")).replace("_", " ")
    at = utc_text(event.at).replace("T", " ").removesuffix("Z")[:19]  # type: ignore[attr-defined]
    details = {
        name: getattr(event, name)
        for name in ("judge", "outcome", "step", "quantity", "price_usd", "fee_usd", "code", "message")
        if getattr(event, name, None) not in (None, "")
    }
    shown = "  ".join(
        decimal_text(value) + f" {name.removesuffix('_usd')}" if isinstance(value, Decimal) else str(value)
        for name, value in details.items()
    )
    return Text.assemble((f"{at}  ", "dim"), f"{kind:<18} ", (shown, "cyan"))


def decision_card(record: DecisionRecord) -> Panel:
    """Return a decision with its verdict's reasons and its whole history."""
    parts: list[RenderableType] = [Text(describe_intent(record.intent), style="bold")]
    if record.intent.why:
        parts.append(Text(f"proposer says: {record.intent.why}", style="italic dim"))
    if record.reasons:
        parts.append(reason_table(reason.model_dump() for reason in record.reasons))
    parts.extend(event_line(event) for event in record.events)
    title = Text.assemble((record.decision_id, "bold"), "  ", _state(record))
    return Panel(Group(*parts), title=title, title_align="left", expand=False)


def verdict_lines(answer: Mapping[str, object]) -> Group:
    """Return the gate's answer to a proposal or a signature."""
    verdict = str(answer.get("verdict", ""))
    style = {"approved": "bold green", "held": "bold yellow"}.get(verdict, "bold red")
    parts: list[RenderableType] = [Text.assemble((verdict, style), f"  {answer.get('decision_id', '')}")]
    reasons = answer.get("reasons")
    if isinstance(reasons, list) and reasons:
        parts.append(reason_table(reasons))
    return Group(*parts)


def account_table(book: AccountBook) -> RenderableType:
    """Return cash and positions of every account."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("account", "what", "quantity", "cost"):
        table.add_column(name)
    for account, cash_usd in book.cash_usd.items():
        table.add_row(account, "cash", "", usd(cash_usd))
    for (account, instrument), position in book.positions.items():
        if position.quantity:
            table.add_row(account, instrument, decimal_text(position.quantity), usd(position.cost_usd))
    return table if table.row_count else Text("the journal is empty", style="dim")


def instrument_table(instruments: Iterable[Instrument]) -> Table:
    """Return the catalogue: id, name, bars and what they carry."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "name", "bars", "carries"):
        table.add_column(name)
    for item in instruments:
        carries = ["close"] + ["range"] * item.has_range + ["volume"] * item.has_volume
        table.add_row(item.id, item.name, item.interval.value, ", ".join(carries))
    return table
