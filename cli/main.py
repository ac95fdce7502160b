"""Entry of the `when-to-invest` command: the command tree and the outermost error door."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click
import typer

from cli.commands import (
    amending,
    analysis,
    approving,
    auditing,
    backtesting,
    chatting,
    costing,
    dead_letters,
    evaluating,
    going_on,
    halting,
    journals,
    keys,
    lake,
    licensing,
    modelling,
    operating,
    services,
    surveying,
    sweeping,
)
from when_to_invest.errors import EXIT_OK, EXIT_UNUSABLE, ErrorCode, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="when-to-invest",
    help="Is now the time, how much, and what would change that?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (
    analysis,
    backtesting,
    sweeping,
    evaluating,
    modelling,
    surveying,
    auditing,
    chatting,
    services,
    operating,
    costing,
    halting,
    going_on,
    approving,
    amending,
    keys,
    dead_letters,
    journals,
    lake,
    licensing,
):
    group.register(app)

INTERRUPTED = 130


def _defect(error: Exception) -> Fault:
    """Describe an unforeseen exception by its kind and place, never by its content."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else ""
    return Fault(
        ErrorCode.INTERNAL,
        f"a defect of this program: {type(error).__name__}{place}",
        fix="nothing was sent by this command; report the line above with the command you ran",
    )


def _usage_fault(error: click.ClickException) -> Fault:
    return Fault(ErrorCode.BAD_ARGUMENT, error.format_message(), fix="see --help of the command")


def _status_of(arguments: Sequence[str]) -> int:
    status = typer.main.get_command(app).main(
        args=list(arguments), prog_name="when-to-invest", standalone_mode=False
    )
    return status if isinstance(status, int) else EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status: 0, 1, 2, 3 or 130."""
    from cli.output import print_fault

    try:
        return _status_of(arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return EXIT_UNUSABLE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Fault as error:
        fault = error
    except click.ClickException as error:
        fault = _usage_fault(error)
    except Exception as error:  # noqa: BLE001 - the outermost door: no traceback reaches a user
        fault = _defect(error)
    print_fault(fault, as_json="--json" in arguments)
    return fault.exit_status


def run() -> None:
    """Console-script entry."""
    sys.exit(main(sys.argv[1:]))
