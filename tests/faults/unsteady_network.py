"""A network between a client and a server that loses, delays and cuts: a TCP proxy on loopback.

It knows nothing of HTTP. Whatever a client sends at once counts as one request: each is dealt a
fate, drawn from a seed.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

LOOPBACK = "127.0.0.1"
CHUNK = 65_536
LONGEST_DELAY_S = 0.4
SILENCE_S = 4.0
"""How long a half-open connection stays: longer than the client under test waits for an answer."""


class Fate(StrEnum):
    """What happens to a request on its way, or to the answer to it."""

    PASS = "pass"  # noqa: S105 - no password
    REFUSE = "refuse"
    """The connection closes before the request went on: the server never hears of it."""
    LOSE_REPLY = "lose_reply"
    """The request arrives; the connection closes before a byte of the answer came."""
    CUT_REPLY = "cut_reply"
    """The request arrives; the connection closes in the middle of the answer."""
    DELAY_REQUEST = "delay_request"
    DELAY_REPLY = "delay_reply"
    HALF_OPEN = "half_open"
    """The request arrives; nothing ever comes back, and the connection stays."""
    BLACK_HOLE = "black_hole"
    """The request does not arrive, nothing comes back, and the connection stays."""


@dataclass
class UnsteadyNetwork:
    """Forwards `port` to `target_port`; while `is_calm` everything passes."""

    target_port: int
    seed: int
    trouble_ratio: float = 0.15
    is_calm: bool = False
    port: int = 0
    dealt: Counter[Fate] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - a schedule of faults, no secret
        self._over = asyncio.Event()

    def fate(self) -> Fate:
        """Draw what happens to the next request."""
        is_trouble = not self.is_calm and self._dice.random() < self.trouble_ratio
        drawn = self._dice.choice(list(Fate)[1:]) if is_trouble else Fate.PASS
        self.dealt[drawn] += 1
        return drawn

    async def serve(self, is_up: threading.Event) -> None:
        """Forward until `stop` is called."""
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._meet, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        is_up.set()
        await self._over.wait()
        server.close()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        self._loop.call_soon_threadsafe(self._over.set)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:
            writer.close()
            return
        line = _Line(writer, forth)
        replies = asyncio.create_task(self._replies(back, line))
        try:
            with suppress(OSError):
                while request := await reader.read(CHUNK):
                    if not await self._pass_on(request, line):
                        break
        finally:
            line.close()
            replies.cancel()
            await asyncio.gather(replies, return_exceptions=True)

    async def _pass_on(self, request: bytes, line: _Line) -> bool:
        """Deal a request its fate; return whether its connection lives on."""
        fate = line.fate = self.fate()
        if fate is Fate.REFUSE:
            return False
        if fate is Fate.BLACK_HOLE:
            await self._stay_silent()
            return False
        if fate is Fate.DELAY_REQUEST:
            await asyncio.sleep(self._dice.uniform(0.0, LONGEST_DELAY_S))
        line.server.write(request)
        await line.server.drain()
        if fate is Fate.HALF_OPEN:
            await self._stay_silent()
            return False
        return True

    async def _stay_silent(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), SILENCE_S)

    async def _replies(self, back: asyncio.StreamReader, line: _Line) -> None:
        with suppress(OSError):
            while reply := await back.read(CHUNK):
                if line.fate is Fate.HALF_OPEN:
                    continue
                if line.fate is Fate.LOSE_REPLY:
                    break
                if line.fate is Fate.DELAY_REPLY:
                    await asyncio.sleep(self._dice.uniform(0.0, LONGEST_DELAY_S))
                is_cut = line.fate is Fate.CUT_REPLY
                line.client.write(reply[: self._dice.randrange(1, len(reply))] if is_cut else reply)
                await line.client.drain()
                if is_cut:
                    break
        line.client.close()


@dataclass
class _Line:
    """One connection: both of its ends, and the fate of the request that is under way."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    fate: Fate = Fate.PASS

    def close(self) -> None:
        self.client.close()
        self.server.close()


@contextmanager
def unsteady_network(
    target_port: int, *, seed: int, kind: type[UnsteadyNetwork] = UnsteadyNetwork
) -> Iterator[UnsteadyNetwork]:
    """Run a network in a thread of its own until the block ends."""
    network = kind(target_port, seed)
    is_up = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(network.serve(is_up)), daemon=True)
    thread.start()
    try:
        assert is_up.wait(10)
        yield network
    finally:
        network.stop()
        thread.join(10)
