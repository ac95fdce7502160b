"""Many processes, one budget: what they seal together never passes it, on either store."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.journal import Journal
from policies.limits import HARD_LIMITS
from tests.conftest import Proof
from tests.ledger.stores import KINDS, Store, store_of
from tests.tool_servers.bench import funding
from when_to_invest.events import EnvelopeSealed
from when_to_invest.portfolio import AccountBook

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 600
EACH = 2


def _start(store: Store, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.ledger.proposing", store.place, str(store.witnessed_at)),
            *(str(number), str(EACH)),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _raced(store: Store, count: int) -> list[str]:
    """Let `count` processes go at the same moment, and return every verdict."""
    processes = [_start(store, number) for number in range(count)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=TIMEOUT_S)[0].split() for process in processes]
    assert {process.returncode for process in processes} == {0}
    return [verdict for verdicts in told for verdict in verdicts]


def _most_reserved(journal: Journal) -> tuple[Decimal, int]:
    """Return the highest sum ever reserved, at each single event, and how many were sealed."""
    book, most, sealed = AccountBook(), Decimal(0), 0
    for recorded in journal.read():
        book.apply(recorded.event)
        sealed += isinstance(recorded.event, EnvelopeSealed)
        most = max(most, sum((held.notional_usd for held in book.reservations.values()), Decimal(0)))
    return most, sealed


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_processes_that_propose_against_one_budget_never_exceed_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, proof: Proof
) -> None:
    server = request.getfixturevalue("postgres") if kind == "postgres" else None
    processes = sum(1 for _ in proof.seeds(ci=3, full=64))
    store = store_of(kind, tmp_path, server)
    with closing(store.open()) as journal:
        journal.append([funding()])
        verdicts = _raced(store, processes)
        most_usd, sealed = _most_reserved(journal)
        assert len(verdicts) == processes * EACH
        assert verdicts.count("approved") == sealed > 0
        assert 0 < most_usd <= HARD_LIMITS.max_open_orders_usd
        assert verdicts.count("approved") < len(verdicts)
    with closing(store.open(is_read_only=True)) as again:
        assert sum(1 for _ in again.read()) == again.head().sequence
