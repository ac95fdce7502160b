"""How far a plan has come, for people and scripts: window, progress, what comes next, and its orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.cards import usd
from when_to_invest.canonical import utc_text
from when_to_invest.execution import ShortfallPlan, TwapPlan, VwapPlan, describe_execution
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.quotes import Quote

if TYPE_CHECKING:
    from executor.algos.moves import Move
    from executor.algos.progress import Progress
    from when_to_invest.history import DecisionRecord
    from when_to_invest.workings import Working

_NOTHING: Final = Decimal(0)


def plan_lines(record: DecisionRecord, *, now: datetime) -> list[RenderableType]:
    """Return what a decision's plan is, how far it is, and its orders; nothing without a plan."""
    from executor.algos.progress import progress_of

    intent = record.intent
    if not isinstance(intent, OrderIntent) or intent.execution is None:
        return []
    lines: list[RenderableType] = [_line("plan", describe_execution(intent.execution))]
    progress = progress_of(record)
    if progress is None:
        return [*lines, _line("", "it has not begun")]
    lines += [
        _line("window", _window(progress, now)),
        _line("progress", _progress(progress)),
        _line("next", _next(record, now=now)),
    ]
    return [*lines, _orders(progress)] if progress.children else lines


def plan_json(record: DecisionRecord, *, now: datetime) -> dict[str, Any] | None:
    """Return the same for scripts; none without a plan that has begun."""
    from executor.algos.progress import progress_of

    progress = progress_of(record)
    if progress is None:
        return None
    working = record.working
    finished = working.finished if working is not None else None
    return {
        "starts_at": utc_text(progress.starts_at),
        "ends_at": utc_text(progress.ends_at),
        "arrival_usd": decimal_text(progress.arrival_usd),
        "wanted_size": decimal_text(progress.quantity),
        "limit_price_usd": decimal_text(progress.limit_price_usd),
        "filled_size": decimal_text(progress.filled_quantity),
        "unfilled_size": decimal_text(progress.unfilled_quantity),
        "ending": finished.ending.value if finished is not None else None,
        "why": finished.why if finished is not None else None,
        "next": _next(record, now=now),
        "children": [
            {
                "client_order_id": child.client_order_id,
                "slice_index": child.slice_index,
                "attempt": child.attempt,
                "size": decimal_text(child.quantity),
                "filled_size": decimal_text(child.filled_quantity),
                "limit_price_usd": decimal_text(child.limit_price_usd),
                "state": child.state.value,
                "sent_at": utc_text(child.sent_at),
            }
            for child in progress.children
        ],
    }


def _line(name: str, words: str) -> Text:
    return Text.assemble((f"{name:<10}", "dim"), words)


def _time(at: datetime) -> str:
    return utc_text(at).replace("T", " ").removesuffix("Z")[:19]


def _window(progress: Progress, now: datetime) -> str:
    gone = min(max((now - progress.starts_at) / (progress.ends_at - progress.starts_at), 0.0), 1.0)
    return f"{_time(progress.starts_at)} → {_time(progress.ends_at)} UTC, {gone:.0%} of it gone"


def _progress(progress: Progress) -> str:
    filled, wanted = progress.filled_quantity, progress.quantity
    out = sum((c.exposure - c.filled_quantity for c in progress.children if c.is_open), _NOTHING)
    return (
        f"{decimal_text(filled)} of {decimal_text(wanted)} traded ({filled / wanted:.0%}), "
        f"{decimal_text(out)} at the venue, {decimal_text(max(progress.left, _NOTHING))} to come; "
        f"limit {usd(progress.limit_price_usd)}, arrival {usd(progress.arrival_usd)}"
    )


def _next(record: DecisionRecord, *, now: datetime) -> str:
    """Return what the plan waits for, as its algorithm says without a look at the market."""
    from executor.algos.choosing import next_child
    from executor.algos.moves import Market
    from executor.algos.progress import progress_of

    intent, progress, working = record.intent, progress_of(record), record.working
    if progress is None or not isinstance(intent, OrderIntent) or intent.execution is None:
        return ""
    if working is not None and working.finished is not None:
        why = f": {working.finished.why}" if working.finished.why else ""
        return f"over, {working.finished.ending.value.replace('_', ' ')}{why}"
    # When a slice comes does not depend on the market, so that it may stand where it stood at arrival.
    is_scheduled = working is not None and isinstance(intent.execution, TwapPlan | VwapPlan | ShortfallPlan)
    market = Market(_arrival(working, progress, now)) if is_scheduled else Market(None)
    return _told(next_child(intent.execution, progress=progress, market=market, now=now))


def _arrival(working: Working | None, progress: Progress, now: datetime) -> Quote | None:
    if working is None or working.planned is None:
        return None
    begun, lot = working.planned, progress.terms.lot_size
    return Quote(progress.instrument, now, begun.bid_usd, lot, begun.ask_usd, lot)


def _told(move: Move) -> str:
    from executor.algos.moves import CancelChild, Wait

    if isinstance(move, CancelChild):
        return f"its order is cancelled: {move.why}"
    if not isinstance(move, Wait):
        return "due now"
    if move.why == "no fresh quote":
        return "what the market shows at the executor's next look"
    return move.why if move.until is None else f"{move.why}, until {_time(move.until)}"


def _orders(progress: Progress) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("slice", "sent", "size", "filled", "limit", "state"):
        table.add_column(name, justify="right" if name in {"slice", "size", "filled", "limit"} else "left")
    for child in progress.children:
        table.add_row(
            str(child.slice_index + 1) + ("" if child.attempt == 1 else f" ({child.attempt}.)"),
            _time(child.sent_at),
            decimal_text(child.quantity),
            decimal_text(child.filled_quantity),
            decimal_text(child.limit_price_usd),
            child.state.value.replace("_", " "),
        )
    return table
