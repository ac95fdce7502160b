"""How answers and errors leave the program: JSON for scripts, rich text for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from when_to_invest.errors import Fault


def print_json(answer: Mapping[str, object]) -> None:
    """Write one JSON object and a line end to standard output."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def console(*, is_error: bool = False) -> Console:
    """Return a rich console on standard output, or on standard error."""
    from rich.console import Console

    return Console(stderr=is_error, highlight=False)


def print_fault(fault: Fault, *, as_json: bool) -> None:
    """Show one error: an `error` object for scripts, two lines for people."""
    if as_json:
        print_json({"error": fault.as_json()})
        return
    from rich.text import Text

    out = console(is_error=True)
    out.print(Text.assemble(("error ", "bold red"), (f"{fault.code.value}: ", "bold"), fault.message))
    out.print(Text.assemble(("  fix ", "bold green"), fault.fix))
