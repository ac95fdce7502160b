"""What differs is told once it has stayed; what merely is on its way never is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from executor.reconciliation.comparison import (
    ANY_LOOKS,
    SAME_LOOKS,
    Difference,
    Listed,
    Looks,
    in_balances,
    in_orders,
    in_trades,
)
from executor.venues.port import VenueOrder, VenueStatus
from when_to_invest.reconciliation import Account, Moved, Point, Subject

names = st.frozensets(st.sampled_from([f"w{n}" for n in range(8)]))
amounts = st.decimals("0", "5", places=4)
held = st.dictionaries(st.sampled_from(["BTC", "ETH", "USD", "BNB"]), amounts)
NOTHING = frozenset[Subject]()
BTC = Point(Subject.BALANCE, "BTC")
ONE = Difference(Decimal(1), Decimal(2))


def order(name: str) -> VenueOrder:
    return VenueOrder(name, f"V-{name}", VenueStatus.WORKING, Decimal(0), "BTC-USD")


def pair_of(instrument: str) -> tuple[str, str]:
    return instrument.removesuffix("-USD"), "USD"


@given(names, names, names, names)
def test_every_order_that_only_one_of_both_works_on_is_named_once(
    found: frozenset[str], is_open: frozenset[str], possible: frozenset[str], ours: frozenset[str]
) -> None:
    known = possible | is_open
    listed = Listed({name: ("BTC-USD", Decimal(1)) for name in is_open}, known, (ours | known).__contains__)
    told = {point for point, _ in in_orders(map(order, sorted(found)), listed)}
    assert told == (
        {Point(Subject.ORDER_LOST, name) for name in is_open - found}
        | {Point(Subject.ORDER_UNKNOWN, name) for name in (found & ours) - known}
        | {Point(Subject.ORDER_FOREIGN, f"V-{name}") for name in found - ours - known}
    )


def test_two_foreign_orders_that_show_the_same_id_are_two() -> None:
    told = [VenueOrder("0", venue_id, VenueStatus.WORKING, Decimal(0), "BTC-USD") for venue_id in ("A", "B")]
    points = [point for point, _ in in_orders(told, Listed({}, frozenset(), lambda _: False))]
    assert points == [Point(Subject.ORDER_FOREIGN, "A"), Point(Subject.ORDER_FOREIGN, "B")]


@given(st.dictionaries(st.sampled_from("abcd"), amounts.filter(bool)), st.frozensets(st.sampled_from("abcd")))
def test_trades_that_one_lacks_are_added_up_on_its_side(
    trades: dict[str, Decimal], lacks: frozenset[str]
) -> None:
    rest = {name: quantity for name, quantity in trades.items() if name not in lacks}
    lacking = sum((quantity for name, quantity in trades.items() if name in lacks), Decimal(0))
    told = dict(in_trades("w1", "BTC-USD", booked=rest, found=trades))
    assert [known.found for known in told.values()] == ([lacking] if lacking else [])
    told = dict(in_trades("w1", "BTC-USD", booked=trades, found=rest))
    assert [known.booked for known in told.values()] == ([lacking] if lacking else [])


@given(held, st.lists(st.tuples(amounts, amounts.filter(bool), amounts), max_size=6), held)
def test_what_trades_and_fees_made_of_it_agrees_and_what_was_taken_besides_does_not(
    first: dict[str, Decimal], trades: list[tuple[Decimal, Decimal, Decimal]], gone: dict[str, Decimal]
) -> None:
    account, now = Account(taken=dict(first)), dict(first)
    moved = account.moved["BTC-USD"]
    for quantity, price, fee in trades:
        moved.base, moved.quote = moved.base + quantity, moved.quote - quantity * price
        moved.fees["BTC"] += fee
        moved.trades += 1
        now["BTC"] = now.get("BTC", Decimal(0)) + quantity - fee
        now["USD"] = now.get("USD", Decimal(0)) - quantity * price
    assert not dict(in_balances(now, account, pair_of=pair_of))
    tampered = {
        asset: now.get(asset, Decimal(0)) - gone.get(asset, Decimal(0)) for asset in now.keys() | gone
    }
    told = dict(in_balances(tampered, account, pair_of=pair_of))
    rounding = len(trades) * Decimal("1e-4")
    large = {asset for asset, units in gone.items() if units > max(rounding, Decimal("1e-8"))}
    assert large <= {point.about for point in told} <= {asset for asset, units in gone.items() if units}
    assert all(known.booked - known.found == gone[point.about] for point, known in told.items())


def test_the_cash_of_a_venue_touches_all_of_it_and_an_asset_its_instrument() -> None:
    account = Account(taken={"BTC": Decimal(1), "USD": Decimal(1), "DOGE": Decimal(1)})
    account.moved["BTC-USD"] = Moved()
    told = dict(in_balances({}, account, pair_of=pair_of))
    touched = {point.about: (known.instrument, known.is_of_venue) for point, known in told.items()}
    assert touched == {"BTC": ("BTC-USD", False), "USD": ("", True), "DOGE": ("", False)}


def test_without_first_balances_there_is_nothing_to_compare() -> None:
    assert not dict(in_balances({"BTC": Decimal(1)}, Account(), pair_of=pair_of))


def test_one_look_proves_nothing_and_the_same_three_times_does() -> None:
    looks = Looks()
    told = [looks.take({BTC: ONE}, standing={}, unseen=NOTHING).differing for _ in range(SAME_LOOKS)]
    assert told == [{}] * (SAME_LOOKS - 1) + [{BTC: ONE}]


@given(st.lists(st.booleans(), max_size=40))
def test_what_goes_away_in_between_is_never_told(is_there: list[bool]) -> None:
    looks, run = Looks(), 0
    for there in is_there:
        run = run + 1 if there else 0
        told = looks.take({BTC: ONE} if there else {}, standing={}, unseen=NOTHING)
        assert bool(told.differing) is (run >= SAME_LOOKS)


def test_what_changes_at_every_look_is_told_after_all() -> None:
    looks = Looks()
    told = [
        looks.take({BTC: Difference(Decimal(1), Decimal(n + 2))}, standing={}, unseen=NOTHING).differing
        for n in range(ANY_LOOKS)
    ]
    assert [bool(news) for news in told] == [False] * (ANY_LOOKS - 1) + [True]


def test_a_look_that_could_not_see_neither_proves_nor_clears() -> None:
    looks, blind = Looks(), frozenset({Subject.BALANCE})
    for _ in range(SAME_LOOKS - 1):
        assert not looks.take({BTC: ONE}, standing={}, unseen=NOTHING).differing
        assert not looks.take({}, standing={}, unseen=blind).differing
    assert looks.take({BTC: ONE}, standing={}, unseen=NOTHING).differing
    for _ in range(9):
        assert not looks.take({}, standing={BTC: ONE}, unseen=blind).agreeing


def test_what_was_told_is_not_told_again_and_is_over_after_two_looks_without_it() -> None:
    looks = Looks()
    for _ in range(9):
        assert not looks.take({BTC: ONE}, standing={BTC: ONE}, unseen=NOTHING).differing
    assert not looks.take({}, standing={BTC: ONE}, unseen=NOTHING).agreeing
    assert looks.take({}, standing={BTC: ONE}, unseen=NOTHING).agreeing == (BTC,)
