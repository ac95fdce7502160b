"""A process that holds the agent has not loaded, by any path, what could act."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.architecture.sources import ROOT

FORBIDDEN = {
    "boto3",
    "botocore",
    "ccxt",
    "eth_account",
    "executor",
    "goat",
    "ledger",
    "policies",
    "signing",
    "tool_servers",
    "web3",
}
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import agents, graphs

from tests.architecture.sources import ROOT
for package in (agents, graphs):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_importing_every_agent_module_loads_nothing_that_acts() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    loaded = set(json.loads(run.stdout.splitlines()[-1]))
    assert {"agents", "graphs", "when_to_invest"} <= loaded
    assert not loaded & FORBIDDEN
