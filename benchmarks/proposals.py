"""How many proposals a desk seals and queues a second, and how long each waits for its answer.

The real desk on real files: gate, seal, journal and queue, each synced. Only the limits are
wide, or the gate would rightly refuse the thousandth order of a minute. `at once` is what many
agents see, `alone` what one sees.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from benchmarks.row import Figure, Row, within
from home.clock import ReplayClock
from home.paths import Home
from policies.limits import HARD_LIMITS, Limits
from signing.keystore import KeystoreSigner
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.main import note_in_lulls, open_desk, set_aside_what_stays
from tool_servers.orders.proposal import Proposal
from when_to_invest.events import EnvelopeRejected
from when_to_invest.history import DecisionState
from when_to_invest.intents import Side
from when_to_invest.values import Mode

START: Final = datetime(2018, 6, 1, 22, 0, tzinfo=UTC)
AT_ONCE: Final = 16
A_ROUND: Final = 160
ROUNDS: Final = 5
WARM_UP: Final = 16
SEALED_PER_S: Final = 300.0
QUEUED_P99_MS: Final = 30.0
WIDER: Final = 1_000_000
SEAL: Final = KeystoreSigner((11).to_bytes(32))
CONFIG: Final = f"""mode = "replay"
[paper]
cash_usd = "100000000000"
[signing]
trusted_seals = ["{SEAL.address}"]
"""


def rows() -> list[Row]:
    """Return the rate of many at once, and how long one and many wait."""
    with tempfile.TemporaryDirectory() as made:
        return list(_rows(Path(made)))


def _rows(directory: Path) -> Iterator[Row]:
    alone, many = (_measured(measured_desk(directory / str(at_once)), at_once) for at_once in (1, AT_ONCE))
    yield within(
        f"sealed and queued, {AT_ONCE} at once",
        Figure(many.per_s, "proposals/s", is_lower_better=False),
        bound=SEALED_PER_S,
    )
    for name, measured in (("alone", alone), (f"{AT_ONCE} at once", many)):
        yield within(f"propose to queued, {name}, p99", Figure(measured.p99_ms, "ms"), bound=QUEUED_P99_MS)


@dataclass(frozen=True, slots=True)
class _Measured:
    per_s: float
    p99_ms: float


def _measured(desk: ProposalDesk, at_once: int) -> _Measured:
    """Propose in rounds; between them the venue is done with everything, and a day passes."""
    with closing(desk.journal), ThreadPoolExecutor(at_once) as pool:
        _round(desk, pool, range(WARM_UP))
        waits: list[float] = []
        rates = []
        for start in range(WARM_UP, WARM_UP + ROUNDS * A_ROUND, A_ROUND):
            _release(desk)
            started = time.perf_counter()
            waits += _round(desk, pool, range(start, start + A_ROUND))
            rates.append(A_ROUND / (time.perf_counter() - started))
    return _Measured(statistics.median(rates), statistics.quantiles(waits, n=100)[98] * 1_000)


def _round(desk: ProposalDesk, pool: ThreadPoolExecutor, numbers: range) -> list[float]:
    """Return how long each proposal waited for its answer, in seconds."""

    def one(number: int) -> float:
        started = time.perf_counter()
        propose(desk, number)
        return time.perf_counter() - started

    return list(pool.map(one, numbers))


def propose(desk: ProposalDesk, number: int) -> None:
    """Propose the order of that number and see that it was queued."""
    # Amounts differ, or the gate would see one order sent again and again.
    wanted = Proposal(
        instrument="SPX",
        side=Side.BUY,
        notional_usd=Decimal(3_000) + 3 * number,
        limit_price_usd=None,
        recommendation_id=None,
        request_id=f"r-{number}",
    )
    answer = desk.propose(wanted, caller="agent")
    if answer.state != DecisionState.QUEUED:
        raise RuntimeError(f"proposal {number} is {answer.state}: {answer.reasons}")


def _release(desk: ProposalDesk) -> None:
    clock = desk.court.clock
    if not isinstance(clock, ReplayClock):
        raise TypeError("the measured home is in replay")
    now = clock.now() + timedelta(days=1, hours=1)
    clock.move_to(now)
    desk.journal.append(
        [
            EnvelopeRejected(at=now, mode=Mode.REPLAY, decision_id=name, code="measured", message="done")
            for name in desk.ledger.book.reservations
        ]
    )


def measured_desk(root: Path) -> ProposalDesk:
    """Return the real desk of a new home at `root`, under wide limits, as a server starts it."""
    home = Home(root).make()
    home.config.write_text(CONFIG)
    ReplayClock(home.clock).move_to(START)
    desk = open_desk(home, signer=SEAL)
    desk.court = replace(desk.court, limits=_wide())
    note_in_lulls(desk)
    set_aside_what_stays()
    return desk


def _wide() -> Limits:
    """Return limits under which none of the proposals is too many, too much or too soon."""
    caps = {name: value for name, value in HARD_LIMITS if name.startswith(("max_", "approval_", "second_"))}
    wide = {name: value * WIDER for name, value in caps.items() if isinstance(value, int | Decimal)}
    return HARD_LIMITS.model_copy(update=wide)
