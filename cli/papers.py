"""What waits for people's signatures lies in the home as one file each, readable by its owner only.

A paper may be carried to another machine and back, and has no power of its own: whoever acts
on it checks every signature.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from cli.service_files import write_private
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Value

VALID_FOR: Final = timedelta(hours=12)
"""How long people have to sign."""
PaperT = TypeVar("PaperT", bound=Value)


def keep(path: Path, paper: Value) -> Path:
    """Write a paper in the place of an earlier one about the same, and return where it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, paper.model_dump_json() + "\n")
    return path


def load(path: Path, kind: TypeAdapter[PaperT], *, name: str, absent: Fault) -> PaperT:
    """Return the paper at `path`, which people call a `name`.

    Raises:
        Fault: `absent` when there is none; `bad_argument` when it is damaged.
    """
    try:
        return kind.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise absent from error
    except (OSError, ValidationError) as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, f"{path.name} is no {name}", fix="ask again; it will be replaced"
        ) from error
