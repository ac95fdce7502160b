"""The page of what was judged: every module, its mutants, and what survived or changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutations.kept import Judged, equivalents, load
from tests.mutations.targets import Target, code_hash, targets

_LEAD = """# Mutants

<!-- Written by `make docs` from tests/mutations/kept.json; judge again, do not edit. -->

Would the tests notice a small wrong change in what decides and in what remembers? Each mutant is one
change inside a function: a comparison, an operator, a number, a condition, a result, a call or a
handler's last word. Tests notice a mutant when one of them fails, or when it uses up its CPU time.

    python -m tests.mutations.runner            # judges what changed since, or whose tests did
    make prove ARGS=tests/mutations             # the same, and demands the shares below

**{noticed} of {mutants} mutants are noticed** in {modules} modules; {equivalent} of the others change nothing
that anyone can see, each with its reason below, which leaves {share}. Demanded: {overall} overall
and {each} in every module, equivalents aside. A module that says *changed since* was judged with
other code than it has now; the code's hash leaves out layout, comments and docstrings.
"""
LEAST_OVERALL = 0.95
LEAST_EACH = 0.95


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one module."""

    path: str
    judged: Judged
    equivalent: dict[str, str]
    is_of_today: bool

    @property
    def survived(self) -> list[str]:
        return [name for name in self.judged.survived if name not in self.equivalent]

    @property
    def silent(self) -> list[str]:
        return [name for name in self.judged.survived if name in self.equivalent]

    @property
    def noticed(self) -> int:
        return self.judged.mutants - len(self.judged.survived)

    @property
    def share(self) -> float:
        return self.noticed / max(1, self.noticed + len(self.survived))


def rows() -> list[Row]:
    """Return what is kept of every target."""
    kept, silent = load(), equivalents()
    found = ((target, kept[target.path]) for target in targets() if target.path in kept)
    return [_row(target, judged, silent.get(target.path, {})) for target, judged in found]


def _row(target: Target, judged: Judged, equivalent: dict[str, str]) -> Row:
    return Row(target.path, judged, equivalent, judged.code == code_hash(target.source))


def overall(found: list[Row]) -> float:
    """Return the share noticed of all mutants that change something."""
    noticed = sum(row.noticed for row in found)
    return noticed / max(1, noticed + sum(len(row.survived) for row in found))


def mutations_page() -> str:
    """Return the page as Markdown."""
    found = rows()
    lead = _LEAD.format(
        noticed=sum(row.noticed for row in found),
        mutants=sum(row.judged.mutants for row in found),
        modules=len(found),
        equivalent=sum(len(row.silent) for row in found),
        share=_share(overall(found)),
        overall=_share(LEAST_OVERALL),
        each=_share(LEAST_EACH),
    )
    return "\n".join([lead, *_table(found), *_unjudged(), *_survivors(found), *_equivalents(found), ""])


def _share(ratio: float) -> str:
    return f"{ratio:.1%}"


def _table(found: list[Row]) -> Iterator[str]:
    yield "| module | mutants | noticed | change nothing | survived | share | code judged | |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in found:
        counts = (row.judged.mutants, row.noticed, len(row.silent), len(row.survived))
        state = "" if row.is_of_today else "*changed since*"
        cells = (f"`{row.path}`", *map(str, counts), _share(row.share), f"`{row.judged.code}`", state)
        yield f"| {' | '.join(cells)} |"


def _unjudged() -> Iterator[str]:
    kept = load()
    missing = [f"`{target.path}`" for target in targets() if target.path not in kept]
    if missing:
        yield f"\nWithout a function to change, or not judged yet: {', '.join(missing)}."


def _survivors(found: list[Row]) -> Iterator[str]:
    if any(row.survived for row in found):
        yield "\n## Survivors\n\nNo test notices these.\n"
    for row in found:
        for name in row.survived:
            yield f"- `{row.path}` {_code(name)}"


def _equivalents(found: list[Row]) -> Iterator[str]:
    if any(row.silent for row in found):
        yield "\n## Mutants that change nothing\n"
    for row in found:
        for name in row.silent:
            yield f"- `{row.path}` {_code(name)}: {row.equivalent[name]}"


def _code(name: str) -> str:
    fence = "``" if "`" in name else "`"
    return f"{fence}{name}{fence}"
