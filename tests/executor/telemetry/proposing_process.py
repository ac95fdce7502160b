"""Proposes one order at a home's real desk and ends; only tests start this file. usage: HOME PASSPHRASE."""

from __future__ import annotations

import sys
from pathlib import Path

from home.paths import Home
from signing.keystore import unlock_keystore
from tests.tool_servers.bench import proposal
from tool_servers.orders.main import open_desk

home = Home(Path(sys.argv[1]))
desk = open_desk(home, signer=unlock_keystore(home.keys / "seal.json", passphrase=sys.argv[2]))
sys.stdout.write(desk.propose(proposal(), caller="agent").decision_id)
