"""Runs the real executor at an exchange; only tests start this file.

usage: executor_at_exchange.py HOME

It is `executor.main.run` as the command line calls it, until a signal. Two things differ from
what is shipped: the compiled limits let hundreds of small orders pass, and a lost request is waited
for 10 s instead of 60, so that many can be lost in one test.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import executor.children
import executor.main
import executor.recovery
import executor.sending
from executor.venues.ccxt.connect import DIALECTS
from executor.venues.ccxt.dialects import Dialect
from home.paths import Home
from policies.limits import HARD_LIMITS
from when_to_invest.errors import Fault

VALIDITY = timedelta(seconds=4)
REQUEST_LIFE_S = 10.0
LIMITS = HARD_LIMITS.model_copy(
    update={
        # Hundreds of small orders in minutes are what is tested here, not how many may be proposed.
        "max_messages_per_minute": 10_000,
        "max_messages_per_hour": 10_000,
        "max_proposer_messages_per_minute": 10_000,
        "max_proposer_messages_per_hour": 10_000,
        "max_repeated_executions": 10_000,
    }
)


def shorten_waiting(life_s: float = REQUEST_LIFE_S) -> None:
    """Have a request be good for seconds, here and at the venue, and be given up soon after."""
    for module in (executor.children, executor.recovery, executor.sending):
        module.REQUEST_VALIDITY = VALIDITY  # type: ignore[misc]
    for dialect in (Dialect, *DIALECTS.values()):
        dialect.request_life_s = life_s


def main(arguments: list[str]) -> int:
    executor.main.HARD_LIMITS = LIMITS  # type: ignore[misc]
    shorten_waiting()
    try:
        return executor.main.run(Home(Path(arguments[0])), until_idle=False)
    except Fault as fault:
        sys.stderr.write(json.dumps({"error": fault.as_json()}) + "\n")
        return fault.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
