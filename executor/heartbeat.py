"""Keeps a message ours while it is dealt with, however long the venue takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from executor.log import Log
from ledger.queue import QueueReceiver
from when_to_invest.errors import Fault


@contextmanager
def kept(receiver: QueueReceiver, receipt: str, *, visibility_s: int, log: Log) -> Iterator[None]:
    """Extend the receipt every third of `visibility_s` for the length of the block.

    A queue that does not answer is asked again at the next beat; only a message that
    belongs to somebody else is given up. Losing it is no danger: the journal alone says
    what was done about it.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(visibility_s / 3):
            try:
                receiver.extend(receipt, visibility_s=visibility_s)
            except Fault as fault:
                log.say("message_not_kept", code=fault.code.value)
                if not fault.is_retryable:
                    return

    thread = threading.Thread(target=beat, name="message-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
