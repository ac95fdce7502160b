"""Transaction costs as a page: alarms first, figures with their counts, then the pictures."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cli.execution_card import bps, lasted, money, ratio
from cli.reports.execution_hops import hops_picture, rates_picture
from cli.reports.execution_pictures import cost_finding, cost_picture, shortfall_picture
from cli.reports.page import Picture, heading, notes, page, picture, table
from cli.reports.sheet import MARGIN, SMALL, Place, new_sheet
from cli.reports.style import as_png
from executor.quality.figures import Missing
from executor.quality.passages import Stage

if TYPE_CHECKING:
    from executor.quality.analysis import Analysis
    from executor.quality.summaries import Mean, Rate, Summary

_MANY = 200
"""Decisions that the page lists; the newest."""


def execution_pictures(found: Analysis) -> list[Picture]:
    """Return every picture that there is something to draw for; to be used inside `drawing`."""
    pictures = []
    if found.total.arrival_slippage.count:
        words = "cost of each order against the price at arrival, over time"
        pictures.append(Picture(as_png(cost_picture(found)), words))
    if found.shortfall.count:
        words = "parts of the implementation shortfall: delay, execution, missed, fees"
        pictures.append(Picture(as_png(shortfall_picture(found)), words))
    if any(spread.count for spread in found.hops.values()):
        pictures.append(Picture(as_png(hops_picture(found)), "how long each hop of each decision took"))
    if found.total.rejected.count:
        words = "share of orders filled and rejected, by venue, with ranges"
        pictures.append(Picture(as_png(rates_picture(found)), words))
    return pictures


def nothing_picture(found: Analysis) -> Picture:
    """Return a picture that says that there is nothing to draw; to be used inside `drawing`."""
    sheet = new_sheet(11.0, 2.0)
    top = sheet.head("Nothing was executed", f"As of {found.now:%Y-%m-%d %H:%M} UTC.")
    words = f"{len(found.decisions)} decisions were sealed."
    sheet.write(words, Place(MARGIN, top + 0.1, sheet.width - 2.0 * MARGIN), SMALL)
    return Picture(as_png(sheet.figure), "nothing was executed")


def execution_html(found: Analysis, pictures: list[Picture]) -> str:
    """Return the page."""
    parts = [*_alarms(found), _groups(found), *(picture(each) for each in pictures)]
    parts += [heading("The newest decisions"), _decisions(found)] if found.decisions else []
    parts += [heading("Limits, the nearest first"), _limits(found)] if found.limits else []
    return page(
        cost_finding(found.total.arrival_slippage),
        lead=f"{len(found.decisions)} decisions, {found.total.orders} orders, "
        f"{found.total.notional_usd:,.0f} USD executed; as of {found.now:%Y-%m-%d %H:%M} UTC.",
        parts=[*parts, notes(_remarks(found))],
        foot="Above zero is a cost. Unknown is what journal and recorded market do not tell; it is not zero.",
    )


def _alarms(found: Analysis) -> list[str]:
    rows = [
        (
            each.kind.value.replace("_", " "),
            each.scope,
            f"{each.measured:.4g} {each.unit}",
            f"{each.bound}",
            each.what_to_do,
        )
        for each in found.alarms
    ]
    head = ("abnormal", "where", "measured", "bound", "what to do")
    return [heading("Abnormal now"), table(head, rows)] if rows else []


def _groups(found: Analysis) -> str:
    head = ("", "orders", "executed", "against arrival", "95% range", "market's average", "effective spread",
            "realised spread", "fees", "filled", "rejected", "acknowledged")  # fmt: skip
    return table(head, [_group(each) for each in (found.total, *found.venues, *found.instruments)])


def _group(each: Summary) -> tuple[str, ...]:
    return (
        each.name,
        str(each.orders),
        f"{each.notional_usd:,.0f} USD",
        bps(each.arrival_slippage.value),
        _range(each.arrival_slippage),
        _counted(each.vwap_slippage),
        _counted(each.effective_spread),
        _counted(each.realised_spread),
        bps(each.fees.value),
        _share(each.filled),
        _share(each.rejected),
        lasted(each.latency_s[Stage.ACKNOWLEDGED].p50_s),
    )


def _range(mean: Mean) -> str:
    interval = mean.interval
    return interval.why if isinstance(interval, Missing) else f"{interval.low:+.1f} to {interval.high:+.1f}"


def _counted(mean: Mean) -> str:
    return "unknown" if isinstance(mean.value, Missing) else f"{bps(mean.value)} (n={mean.count})"


def _share(rate: Rate) -> str:
    return f"{ratio(rate.ratio)} of {rate.count}"


def _decisions(found: Analysis) -> str:
    head = ("decision", "when", "what", "filled", "against arrival", "shortfall", "", "fees")
    rows = [
        (
            each.decision_id,
            f"{each.at:%Y-%m-%d %H:%M}",
            f"{each.side.value} {each.quantity.normalize():f} {each.instrument}",
            ratio(each.fill_ratio),
            bps(each.arrival_slippage_bps),
            money(each.shortfall.total_usd),
            bps(each.shortfall.total_bps),
            money(each.shortfall.fees_usd),
        )
        for each in reversed(found.decisions[-_MANY:])
    ]
    return table(head, rows)


def _limits(found: Analysis) -> str:
    rows = [
        (each.limit, f"{each.used:,.2f}", f"{each.allowed:,.0f}", ratio(each.ratio)) for each in found.limits
    ]
    return table(("limit", "used with the newest order", "allowed", "share"), rows)


def _remarks(found: Analysis) -> list[str]:
    """Return why figures are missing, each reason once with how often it stands."""
    counted: dict[str, int] = {}
    for each in found.decisions:
        for name, figure in (
            ("against arrival", each.arrival_slippage_bps),
            ("against the market's average", each.vwap_slippage_bps),
            ("shortfall", each.shortfall.total_usd),
        ):
            if isinstance(figure, Missing):
                counted[f"{name}: {figure.why}"] = counted.get(f"{name}: {figure.why}", 0) + 1
    told = [
        f"{count} without {why}"
        for why, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]
    oldest = found.total.oldest_unknown_s
    doubt = [f"{found.total.unknown} orders unknown, the oldest for {lasted(oldest or Decimal(0))}"]
    closes = found.total.orders - found.total.quoted
    basis = [f"{closes} orders had no quote at arrival: they are held against the last close before, if any"]
    return [*(doubt if found.total.unknown else []), *(basis if closes else []), *told]
