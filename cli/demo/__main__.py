"""`python -m cli.demo`: play the story in a throw-away home and say how long it took."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, Fault

FIRST_EVENING: Final = datetime(2017, 6, 29, 22, tzinfo=UTC)
ACK_DELAY_S: Final = 1.0
WIDTH: Final = 118


def main() -> int:
    """Play the demo; exit 0 when every act came out as told, 1 when one did not."""
    from rich.console import Console

    from cli.demo.stage import Stage
    from cli.demo.story import Story, closes_after
    from cli.output import print_fault

    started = time.monotonic()
    out = Console(highlight=False, width=WIDTH)
    out.print(
        "[bold]When to Invest[/]: an agent proposes, a gate it cannot reach decides, an executor that "
        "trusts neither acts, and one journal remembers."
    )
    with tempfile.TemporaryDirectory(prefix="when-to-invest-demo-") as root:
        try:
            with Stage(Path(root), start_at=FIRST_EVENING, ack_delay_s=ACK_DELAY_S) as stage:
                out.print(f"[dim]four services are up, each with its own environment, in {root}[/]")
                Story(stage, out, closes_after(stage, "SPX", FIRST_EVENING, count=6)).tell()
        except Fault as fault:
            print_fault(fault, as_json=False)
            return fault.exit_status
        except RuntimeError as error:
            out.print(f"[bold red]the demo went wrong:[/] {error}")
            return EXIT_REFUSED
    out.print(f"\n[bold green]done[/] in {time.monotonic() - started:.0f} s; the services are down again")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
