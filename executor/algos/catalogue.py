"""The plans as Markdown, for the generated documentation: written out of the code that works them."""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import Final

from executor.algos import iceberg, immediate, peg, pov, schedule, sliced
from executor.algos.choosing import MOST_CHILDREN, MOST_DECLINED
from executor.algos.pov import STRETCH_S
from executor.algos.sliced import CATCH_UP, MOST_ATTEMPTS
from when_to_invest.execution import (
    LARGEST_COLLAR_BPS,
    LARGEST_PARTICIPATION_RATIO,
    LONGEST_S,
    MOST_SLICES,
    MOST_URGENCY,
    WORKED_KINDS,
    Ending,
)
from when_to_invest.execution_text import PLANS, usage

_WORKED_IN: Final = MappingProxyType(
    {
        "immediate": immediate,
        "twap": sliced,
        "vwap": sliced,
        "shortfall": sliced,
        "pov": pov,
        "iceberg": iceberg,
        "peg": peg,
    }
)


NOTE: Final = "<!-- Written by `make docs`; change the code, not this page. -->"
LEAD: Final = """An order may carry a plan, sealed with it and shown to whoever signs. What leaves next is
answered by `executor.algos.choosing.next_child` from the plan, the journal, a quote and the time."""


def execution_page() -> str:
    """Return the page: every plan, which are worked, the bounds, the endings and the sources."""
    worked = ", ".join(sorted(WORKED_KINDS)) or "none yet"
    parts = (
        f"# Plans\n\n{NOTE}\n\n{LEAD}\n",
        _plans(),
        f"Kinds that the executor works orders by: {worked}.\n",
        f"## Bounds\n\n{_bounds()}",
        f"## How it ends\n\n{_said(Ending, paragraph=1)}\n",
        f"## Sources\n\n{_said(schedule, paragraph=-1)}\n",
    )
    return "\n".join(parts)


def _plans() -> str:
    lines = ["| plan | written as | what it does | worked in |", "| --- | --- | --- | --- |"]
    for kind, plan in PLANS.items():
        cells = (f"`{kind}`", f"`{usage(plan)}`", _said(plan), f"`{_WORKED_IN[kind].__name__}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _bounds() -> str:
    return f"""\
- a window of at most {LONGEST_S} s, at most {MOST_SLICES} slices, each at least a second
- a collar of at most {LARGEST_COLLAR_BPS} bps around the middle of the quote at arrival, besides the limit
- a participation of at most {LARGEST_PARTICIPATION_RATIO} of the volume; one child in each of at most
  {MOST_SLICES} stretches of at least {STRETCH_S} s
- an urgency of at most {MOST_URGENCY}; without any, the schedule of `twap`
- a child of at most {CATCH_UP} even slices, or what was planned for its slice; half a slice apart
- {MOST_ATTEMPTS} attempts a slice that never reached the venue, {MOST_DECLINED} orders in a row that it
  did not take, {MOST_CHILDREN} orders in all
"""


def _said(documented: object, *, paragraph: int | None = None) -> str:
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    chosen = paragraphs if paragraph is None else [paragraphs[paragraph]]
    return " ".join(" ".join(chosen).split()).replace("|", "\\|")
