"""An agent's process that dies right after its proposal left, or goes on in a second life.

usage: crashing_agent.py HOME ORDERS_LOG [die]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from graphs.awaiting import AwaitStage
from graphs.state import ThreadState
from tests.fakes.agent_services import FakeMarket, FakeOrders
from tests.graphs.threads_at_hand import Desk


class LoggedOrders(FakeOrders):
    """Keeps its proposals in a file, as the real server's journal outlives the agent."""

    log: Path

    def _decision(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self.log.open("a") as file:
            file.write(json.dumps(asked) + "\n")
        return super()._decision(asked)


class LoggedMarket(FakeMarket):
    """Notes every call in the same file."""

    log: Path

    def _told(self, name: str, arguments: dict[str, Any], told: dict[str, Any]) -> Any:
        with self.log.open("a") as file:
            file.write(json.dumps({"read": name}) + "\n")
        return super()._told(name, arguments, told)


async def die(_stage: AwaitStage, _state: ThreadState) -> ThreadState:
    os._exit(9)


def main(root: str, log: str, *, dies: bool) -> None:
    orders, market = LoggedOrders(), LoggedMarket()
    orders.log = market.log = Path(log)
    if dies:
        AwaitStage.__call__ = die  # type: ignore[method-assign]
    else:
        # The server of the second life remembers what the first one decided.
        for line in orders.log.read_text().splitlines():
            if "request_id" in (asked := json.loads(line)):
                told = FakeOrders._decision(orders, asked)
                orders.decisions[told["decision_id"]] = told
    answer = Desk(Path(root), market, orders).ask()
    sys.stdout.write(answer.model_dump_json() + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], dies="die" in sys.argv[3:])
