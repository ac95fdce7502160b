"""The network that the executor is tested over does to a request what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faults.unsteady_network import LOOPBACK, Fate, UnsteadyNetwork, unsteady_network

ANSWER = b"the answer is longer than a byte"
REQUEST = b"a request"
PATIENCE_S = 1.0
ARRIVES = frozenset(Fate) - {Fate.REFUSE, Fate.BLACK_HOLE}


class Server:
    """Notes what it hears, and answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server((LOOPBACK, 0))
        self.heard: list[bytes] = []
        self.has_heard = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while request := connection.recv(1024):
                self.heard.append(request)
                self.has_heard.set()
                connection.sendall(ANSWER)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with closing(server.socket):
        yield server


def answer_of(network: UnsteadyNetwork) -> bytes | None:
    """Return what comes back until the connection closes; none while it stays open and silent."""
    with socket.create_connection((LOOPBACK, network.port), timeout=PATIENCE_S) as client:
        client.sendall(REQUEST)
        try:
            answer = client.recv(1024)
            return answer if answer == ANSWER else answer + client.recv(1024)
        except ConnectionResetError:
            return b""
        except TimeoutError:
            return None


@pytest.mark.parametrize("fate", Fate)
def test_a_request_meets_its_fate(server: Server, fate: Fate) -> None:
    class Destined(UnsteadyNetwork):
        def fate(self) -> Fate:
            return fate

    with unsteady_network(server.port, seed=1, kind=Destined) as network:
        answer = answer_of(network)
        assert server.has_heard.wait(0.2) is (fate in ARRIVES)
    if fate in {Fate.PASS, Fate.DELAY_REQUEST, Fate.DELAY_REPLY}:
        assert answer == ANSWER
    elif fate is Fate.CUT_REPLY:
        assert answer is not None
        assert 0 < len(answer) < len(ANSWER)
        assert ANSWER.startswith(answer)
    else:
        assert answer == (None if fate in {Fate.HALF_OPEN, Fate.BLACK_HOLE} else b"")


def test_the_same_seed_deals_the_same_fates_and_a_calm_network_none() -> None:
    one, two = UnsteadyNetwork(1, seed=5, trouble_ratio=0.5), UnsteadyNetwork(1, seed=5, trouble_ratio=0.5)
    dealt = [one.fate() for _ in range(200)]
    assert dealt == [two.fate() for _ in range(200)]
    assert set(dealt) == set(Fate)
    one.is_calm = True
    assert {one.fate() for _ in range(50)} == {Fate.PASS}
