"""Options that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Where all local state lives (default: $WHEN_TO_INVEST_HOME or ~/.when-to-invest).",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object with stable keys.")]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Read the keystore passphrase from this file instead of asking."),
]


def read_passphrase(path: Path | None, *, prompt: str) -> str:
    """Return the passphrase from a file's first line, or ask for it without echo.

    Raises:
        Fault: `bad_argument` when the file cannot be read or is empty.
    """
    import getpass

    from when_to_invest.errors import ErrorCode, Fault

    if path is None:
        return getpass.getpass(prompt)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, f"the passphrase file {path} cannot be read", fix="check its path"
        ) from error
    if not lines or not lines[0]:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, f"the passphrase file {path} is empty", fix="put it on the first line"
        )
    return lines[0]
