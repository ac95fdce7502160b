"""The audit log: one JSON object a line on stderr, what this process did, never a secret or a message body.

Every line has `process` and `event`, then `at` by the shared clock; all else is named as in
`say`'s calls. Every text goes through `executor.redaction`. Whoever counts or alerts listens here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from executor.redaction import REDACTED, is_secret_name, redacted
from when_to_invest.canonical import utc_text

Detail = str | int | bool


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says, redacted."""

    event: str
    at: datetime | None
    details: Mapping[str, Detail]

    def text(self, name: str) -> str:
        """Return a detail as text; nothing when the line does not have it."""
        return str(self.details.get(name, ""))


Listener = Callable[[Said], None]


class Log:
    """Writes structured lines; `stream` is stderr unless a test gives another. `secrets` never appear."""

    def __init__(self, stream: TextIO | None = None, *, secrets: Collection[str] = ()) -> None:
        self._stream = stream
        self._secrets = secrets
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have `listener` told of every line from now on; it may neither wait nor raise."""
        self._listeners.append(listener)

    def say(self, what: str, *, at: datetime | None = None, **details: Detail) -> None:
        """Write `{"process", "event", ...}`; `at` is the shared clock's instant.

        A stream that is gone loses the line and stops nothing.
        """
        said = Said(what, at, {name: self._clean(name, value) for name, value in details.items()})
        line: dict[str, Detail] = {"process": "executor", "event": what}
        if at is not None:
            line["at"] = utc_text(at)
        stream = self._stream or sys.stderr
        with suppress(OSError):
            stream.write(json.dumps(line | dict(said.details)) + "\n")
            stream.flush()
        for listener in self._listeners:
            listener(said)

    def _clean(self, name: str, value: Detail) -> Detail:
        if is_secret_name(name):
            return REDACTED
        return redacted(value, secrets=self._secrets) if isinstance(value, str) else value
