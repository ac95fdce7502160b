"""The real executor, killed at random moments while it trades over an unsteady network.

Executor, exchange, SQS server and PostgreSQL are processes of their own; ccxt is as published.
At the end venue and journal agree to the unit: every fill booked once, nothing sent twice,
nothing lost.
"""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.contracts.sqs_server import sqs_server
from tests.faults.test_executor_killed_on_sqs import CREDENTIALS
from tests.faults.trading_post import AT_VENUE, TradingPost, trading_post, wait_until
from tests.ledger.postgres_server import PostgresServer, server_for_all_tests
from when_to_invest import events as ev
from when_to_invest.history import FINAL_STATES, DecisionState
from when_to_invest.intents import Side
from when_to_invest.orders import UNRESOLVED

pytestmark = pytest.mark.slow
START_S = 25.0
CALM_S = 90.0
KILLS = {"binance": (2, 72), "kraken": (1, 72), "coinbase": (1, 72)}
"""How often the executor is killed in `make test`, and in `make prove`."""


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with sqs_server(tmp_path_factory.mktemp("sqs")) as url:
            yield url


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with server_for_all_tests() as server:
        yield server


class Ordeal:
    """One home whose executor is killed again and again while orders come in."""

    def __init__(self, post: TradingPost, *, seed: int) -> None:
        self.post = post
        self.kills = 0
        self._dice = random.Random(seed)  # noqa: S311 - a schedule of orders and kills, no secret
        self._proposals = 0
        self._wait = threading.Event()
        post.trouble(seed=seed)

    def kill_one(self) -> None:
        """Start an executor, bring orders, and kill it at a moment nobody chose."""
        starts, process = self.post.starts(), self.post.start()
        try:
            if self._dice.random() < 0.25:
                self._propose()
                self._wait.wait(self._dice.uniform(0.2, 3.0))
            else:
                wait_until(lambda: self.post.starts() > starts, most_s=START_S)
                for _ in range(self._dice.randint(2, 5)):
                    self._propose()
                    self._wait.wait(self._dice.uniform(0.0, 0.4))
            self._maybe_cancel()
            self._wait.wait(self._dice.uniform(0.0, 0.5))
        finally:
            process.kill()
            status = process.wait(30)
        if status == -signal.SIGKILL:
            self.kills += 1
        else:
            # A venue that answers ten times in a row with nothing ends the process; nobody is halted.
            last = self.post.log.read_text().splitlines()[-1]
            assert '"venue_unavailable"' in last, last

    def settle(self) -> None:
        """Let one executor work over a sound network until every order has ended."""
        self.post.calm()
        process = self.post.start()
        try:
            self._propose()
            assert wait_until(self._has_ended, most_s=CALM_S, every_s=0.4), self._what_is_left()
            assert wait_until(self.post.is_queue_empty, most_s=CALM_S, every_s=0.4)
        finally:
            process.terminate()
            process.wait(60)
            self.post.trouble(seed=self._dice.randrange(10**6))

    def _has_ended(self) -> bool:
        """Meet what waits in the book, and tell whether everything has come to its end."""
        left = self.post.unended()
        waiting = {name for record in left for name in record.orders}
        by_name = {name: record.intent for record in left for name in record.orders}
        for order in self.post.ask("/control/truth")["orders"]:
            if order["client_id"] in waiting and order["state"] in {"open", "partly_filled"}:
                intent = by_name[order["client_id"]]
                self.post.crowd(
                    "sell" if intent.side is Side.BUY else "buy",
                    price=str(intent.limit_price_usd),
                    quantity=Decimal(order["open"]),
                )
        return not left

    def _propose(self) -> None:
        self._proposals += 1
        self.post.propose(self._proposals, self._dice)

    def _maybe_cancel(self) -> None:
        open_now = [record for record in self.post.unended() if record.orders]
        if open_now and self._dice.random() < 0.3:
            self.post.request_cancel(self._dice.choice(open_now).decision_id)

    def _what_is_left(self) -> str:
        left = [(record.decision_id, record.state) for record in self.post.unended()]
        return f"{left}\n{self.post.log.read_text()[-4000:]}"


def assert_venue_and_journal_agree(post: TradingPost) -> None:
    """Compare what the exchange itself knows with what the journal has booked, to the unit."""
    truth = post.ask("/control/truth")
    decisions = post.decisions()
    by_name = {name: record for record in decisions.values() for name in record.orders}
    sent = Counter(order["client_id"] for order in truth["orders"])
    assert not [name for name, times in sent.items() if times > 1], "an order was sent twice"
    assert sent.keys() <= by_name.keys(), "the exchange has an order that the journal does not know"
    fills = [item.event for item in post.journal.read() if isinstance(item.event, ev.OrderFilled)]
    assert len({fill.trade for fill in fills}) == len(fills), "a fill was booked twice"
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    costs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        quantities[fill.client_order_id] += fill.quantity
        costs[fill.client_order_id] += fill.quantity * fill.price_usd
    for order in truth["orders"]:
        name = order["client_id"]
        assert order["state"] not in {"open", "partly_filled"}
        assert (quantities.pop(name, 0), costs[name]) == (Decimal(order["filled"]), Decimal(order["cost"]))
    assert not quantities, "the journal has a fill that the exchange does not know"
    for record in decisions.values():
        assert record.state in FINAL_STATES
        assert record.state is not DecisionState.UNKNOWN
        assert record.filled_quantity <= record.authorised_quantity
        assert not [order for order in record.orders.values() if order.state in UNRESOLVED]
    assert_balances_equal(post, fills, truth["holdings"])
    assert not post.ledger.book.trading_states
    assert not post.ledger.book.reservations
    assert not post.letters.look(max_messages=10)
    assert post.verify()


def assert_balances_equal(
    post: TradingPost, fills: list[ev.OrderFilled], holdings: dict[str, list[str]]
) -> None:
    """Compare every unit that the exchange holds with what the journal's fills make of the start."""
    base = quote = AT_VENUE
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        base += sign * fill.quantity
        quote -= sign * fill.quantity * fill.price_usd
        if post.pair.is_fee_in_quote or fill.side is Side.SELL:
            quote -= fill.fee_usd
        else:
            base -= fill.fee_usd / fill.price_usd
    for asset, expected in ((post.pair.base, base), (post.pair.quote, quote)):
        free, held = holdings[asset]
        assert (Decimal(free) + Decimal(held), Decimal(held)) == (expected, 0), asset
    bought = sum((fill.quantity if fill.side is Side.BUY else -fill.quantity for fill in fills), Decimal(0))
    assert post.ledger.book.position("main", post.pair.symbol).quantity == bought


def suffer(post: TradingPost, *, seed: int, kills: int, most_in_a_row: int = 6) -> Ordeal:
    """Kill `kills` executors, let things settle between, and compare at each settling."""
    ordeal = Ordeal(post, seed=seed)
    while ordeal.kills < kills:
        for _ in range(min(most_in_a_row, kills - ordeal.kills)):
            ordeal.kill_one()
        ordeal.settle()
        assert_venue_and_journal_agree(post)
    return ordeal


@pytest.mark.proof
@pytest.mark.parametrize("dialect", ["binance", "kraken", "coinbase"])
def test_kills_over_an_unsteady_network_lose_nothing_and_send_nothing_twice(
    proof: Proof, tmp_path: Path, sqs: str, postgres: PostgresServer, dialect: str
) -> None:
    kills = KILLS[dialect][proof.is_full_size]
    for seed in proof.seeds(ci=1, full=1):
        root = tmp_path / str(seed)
        with trading_post(
            root, dialect, seed=seed, postgres=postgres, sqs=sqs, environment=CREDENTIALS
        ) as post:
            ordeal = suffer(post, seed=seed, kills=kills)
        assert ordeal.kills == kills
        assert post.decision_ids
        told = f"{dialect}: {ordeal.kills} kills, {len(post.decision_ids)} orders, {post.refused} refused"
        (tmp_path / "told.txt").write_text(f"{told}, network {dict(post.network.dealt)}\n")
