"""A process of its own that works on a queue: sends LAST messages, or receives until it is empty.

As a receiver it prints each body before it deletes the message; with `and hang` it keeps the
first one and waits to be killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.queue import OutgoingMessage
from ledger.sqlite_queue import SqliteQueue

VISIBILITY_S = 60.0


def main(path: str, action: str, last: str = "0") -> None:
    queue = SqliteQueue(Path(path), visibility_s=VISIBILITY_S, max_receives=5)
    if action == "send":
        for number in range(int(last)):
            queue.send(OutgoingMessage(f"{number}", f"group {number % 3}", f"d-{number}"))
        return
    while received := queue.receive(max_messages=3, wait_s=0.3):
        for message in received:
            sys.stdout.write(f"{message.body}\n")
            sys.stdout.flush()
            if action == "hang":
                sys.stdin.read()
            queue.delete(message.receipt)
    queue.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
