"""One JSON object a line on stderr: what this process did, never a secret or a message body."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TextIO

from when_to_invest.canonical import utc_text


class Log:
    """Writes structured lines; `stream` is stderr unless a test gives another."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def say(self, what: str, *, at: datetime | None = None, **details: str | int | bool) -> None:
        """Write `{"process", "event", ...}`; `at` is the shared clock's instant."""
        line: dict[str, str | int | bool] = {"process": "executor", "event": what}
        if at is not None:
            line["at"] = utc_text(at)
        stream = self._stream or sys.stderr
        stream.write(json.dumps(line | details, ensure_ascii=False) + "\n")
        stream.flush()
