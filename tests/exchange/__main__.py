"""The local exchange as a process: `python -m tests.exchange --dialect binance --port 0`.

Prints one JSON line when it listens. It ends by SIGTERM or SIGINT, when its time is up, and
with `--with-parent` when its standard input closes. Faults are commanded under /control.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.exchange.replay import Replay, recorded_messages
from tests.exchange.server import DIALECTS, Local, serving
from tests.exchange.venues import quote_both_sides


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--middle", default="100.00", help="price around which the first pair is quoted")
    parser.add_argument("--replay", type=Path, help="a recording to play instead")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most-seconds", type=float, default=3600.0)
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    return parser.parse_args(words)


async def _run(asked: argparse.Namespace) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if asked.with_parent:
        loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 4096) or over.set())
    async with serving(asked.dialect, port=asked.port) as local:
        market = asyncio.create_task(_market(local, asked))
        keys = local.counter.credentials
        ready = {
            "ready": True,
            "url": local.url,
            "dialect": local.dialect,
            "key": keys.key,
            "secret": keys.secret,
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await asyncio.wait({asyncio.ensure_future(over.wait())}, timeout=asked.most_seconds)
        market.cancel()


async def _market(local: Local, asked: argparse.Namespace) -> None:
    """Make the market of the first pair: a recording, or two quoted levels a side."""
    symbol = next(iter(local.exchange.listings))
    if asked.replay is None:
        quote_both_sides(local.exchange, symbol, middle=asked.middle)
        return
    replay = Replay(local.exchange, symbol, seed=asked.seed)
    await replay.play_in_time(recorded_messages(asked.replay), speed=asked.speed)


if __name__ == "__main__":
    asyncio.run(_run(_arguments(sys.argv[1:])))
