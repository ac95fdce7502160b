"""The environment in which peers run: made from `uv.lock`, kept under `build/`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.provenance import REPOSITORY

ENVIRONMENT: Final = REPOSITORY / "build" / "peers"
_PROGRAMS: Final = Path(__file__).parent


def run_peer(program: str, *arguments: str) -> dict[str, list[float]]:
    """Run `benchmarks/peers/<program>.py` among the peers; return the figures it printed last."""
    python = _prepared()
    command = [str(python), str(_PROGRAMS / f"{program}.py"), *arguments]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, list[float]] = json.loads(run.stdout.strip().splitlines()[-1])
    return figures


def _prepared() -> Path:
    """Install the locked peers (instant when they are there) and return their Python."""
    uv = shutil.which("uv") or str(REPOSITORY / ".venv-tools" / "bin" / "uv")
    own = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT)}
    own.pop("VIRTUAL_ENV", None)
    command = [uv, "sync", "--only-group", "bench", "--frozen", "--quiet", "--python", sys.executable]
    subprocess.run(command, check=True, cwd=REPOSITORY, env=own)
    return ENVIRONMENT / "bin" / "python"
