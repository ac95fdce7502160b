"""A process of its own with a desk of its own: PLACE WITNESS NAME COUNT, one proposal after the other.

Every process spends from the same account. A conflict with another is tried again, as an
agent would; what the gate refuses is final.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.live import LiveLedger
from ledger.sqlite_queue import SqliteQueue, SqliteSender
from tests.ledger.stores import journal_at
from tests.tool_servers.bench import Bench, proposal
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.outbox import Outbox
from when_to_invest.errors import Fault

NOTIONAL_USD = "6000"


def main(place: str, witnessed_at: str, name: str, count: str) -> None:
    bench = Bench()
    journal = journal_at(place, Path(witnessed_at))
    ledger = LiveLedger(journal)
    queue = SqliteQueue(Path(witnessed_at).with_name("queue.sqlite"), visibility_s=30, max_receives=5)
    outbox = Outbox(journal, ledger, SqliteSender(queue), bench.clock, bench.latch)
    desk = ProposalDesk(journal, ledger, bench.desk().court, outbox)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(int(count)):
        sys.stdout.write(f"{_patiently(desk, f'{name}-{number}', int(name))}\n")


def _patiently(desk: ProposalDesk, request_id: str, number: int) -> str:
    wanted = proposal(str(int(NOTIONAL_USD) + number), request_id=request_id)
    while True:
        try:
            return desk.propose(wanted, caller="agent").verdict
        except Fault as fault:
            if not fault.is_retryable:
                raise


if __name__ == "__main__":
    main(*sys.argv[1:])
