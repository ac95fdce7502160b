"""The command starts without what it may not need: --help must answer at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"anthropic", "boto3", "langgraph", "mcp", "numba", "numpy", "pandas", "pydantic"}
PROGRAM = "import json, sys; from cli.main import main; {call}; print(json.dumps(sorted(sys.modules)))"


def modules_after(call: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    assert not modules_after("main(['--help'])") & HEAVY


@pytest.mark.parametrize("command", ["recommend", "chat", "up", "status", "journal", "data", "approvals"])
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert not modules_after(f"main(['{command}', '--help'])") & HEAVY
