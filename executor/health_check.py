"""Asks the running executor of a home how it is: the container's health check, and `ps`.

`python -m executor.health_check [live]` ends with 0 when it is ready (or lives) and with 1
otherwise. It uses the standard library alone, so that asking every few seconds costs little.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

WITHIN_S = 3.0
FILE = "executor.health"
_HOME = "WHEN_TO_INVEST_HOME"
_MOST_BYTES = 65_536


def told(run: Path, *, path: str = "/readyz") -> tuple[bool, Mapping[str, object]]:
    """Return whether the executor whose run files lie in `run` is fine, and what it says."""
    try:
        url = str(json.loads((run / FILE).read_text(encoding="utf-8"))["url"])
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=WITHIN_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            content = json.loads(answer.read(_MOST_BYTES))
        finally:
            connection.close()
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        return False, {"error": type(error).__name__}
    return answer.status == HTTPStatus.OK, content if isinstance(content, dict) else {}


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Print what the executor says; return 0 when it is fine."""
    home = Path(environment.get(_HOME) or "~/.when-to-invest").expanduser()
    is_fine, says = told(home / "run", path="/livez" if arguments == ["live"] else "/readyz")
    sys.stdout.write(json.dumps(says) + "\n")
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
