"""A trading floor in memory: proposals are judged, sealed, filled and lost against one book.

It is the attacker's playground: whatever is asked in whatever order, the book must stay
within the hard limits. Nothing here is signed; seals are tested elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from policies.facts import gather_facts
from policies.gate import judge
from policies.limits import HARD_LIMITS
from tests.strategies.situations import D, price, spx
from tests.when_to_invest.samples import Story, funded, order_intent
from when_to_invest import events as ev
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook
from when_to_invest.recent import SealedOrder
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved, Held, Verdict

INSTRUMENTS = ("SPX", "IXIC", "GLD", "TLT")
MARK_USD = D(100)
_MOST_MESSAGES = (
    (HARD_LIMITS.max_messages_per_minute, 60),
    (HARD_LIMITS.max_messages_per_hour, 3600),
)


@dataclass
class Floor:
    """One account with 200,000 USD; every price stands at 100 USD."""

    book: AccountBook = field(default_factory=AccountBook)
    seconds: float = 0
    open: list[Story] = field(default_factory=list)
    approved: list[tuple[float, OrderIntent]] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.book.apply(funded("200000"))

    def propose(self, *, approvers: frozenset[str] = frozenset(), **changes: Any) -> Verdict:
        """Propose, judge and, when approved, seal; return the verdict."""
        self.asked += 1
        at = funded().at + timedelta(seconds=self.seconds)
        intent = order_intent(proposed_at=at, request_id=f"r-{self.asked}", **changes)
        story = Story(intent, n=self.asked, at=at)
        self.book.apply(story.proposed().model_copy(update={"caller": intent.proposer}))
        verdict = self._judge(story, approvers)
        outcome = ev.Outcome.APPROVED if isinstance(verdict, Approved) else ev.Outcome.REFUSED
        self.book.apply(story.judged(ev.Outcome.HELD if isinstance(verdict, Held) else outcome))
        if isinstance(verdict, Approved):
            self.book.apply(_sealed(story, verdict.approvers))
            self.book.apply(story.sending())
            self.open.append(story)
            self.approved.append((self.seconds, intent))
        return verdict

    def settle(self, index: int, how: str) -> None:
        """Let one open order fill, fill in part and die, be cancelled, or be lost from sight."""
        if not self.open:
            return
        story = self.open.pop(index % len(self.open))
        if how == "lost":
            self.book.apply(story.moved(OrderStep.LOST_SIGHT))
            return
        self.book.apply(story.moved(OrderStep.ACKNOWLEDGED))
        if how == "filled":
            self.book.apply(story.filled())
            return
        if how == "part":
            half = story.intent.quantity / 2  # type: ignore[union-attr]
            self.book.apply(story.filled(half, is_last=False))
        self.book.apply(story.moved(OrderStep.CANCELLED))

    def broken_promises(self) -> list[str]:
        """Return which hard limits the book breaks if every open order filled, worst first."""
        worst = {name: self._worst_usd(name) for name in INSTRUMENTS}
        free = self._cash_if_all_filled()
        checks = {
            "position": max(worst.values()) <= HARD_LIMITS.max_position_notional_usd,
            "gross exposure": sum(worst.values()) <= HARD_LIMITS.max_gross_exposure_usd,
            "cash": free >= 0,
            "short": all(self._least_held(name) >= 0 for name in INSTRUMENTS),
            "turnover": self._day_usd() <= HARD_LIMITS.max_turnover_24h_usd,
            "messages": all(self._sends_no_more_than(*most) for most in _MOST_MESSAGES),
            "signatures": self._lacks_no_signature(),
            "open orders": self._open_usd() <= HARD_LIMITS.max_open_orders_usd,
        }
        return [name for name, is_kept in checks.items() if not is_kept]

    def _judge(self, story: Story, approvers: frozenset[str]) -> Verdict:
        facts = gather_facts(
            story.intent,
            decision_id=story.decision_id,
            book=self.book,
            instrument=spx(id=story.intent.instrument),  # type: ignore[union-attr]
            reference=price(MARK_USD, age_s=0),
            marks={name: price(MARK_USD, age_s=0) for name in INSTRUMENTS},
            approvers=approvers,
            now=story.at,
            mode=Mode.REPLAY,
            index=price(MARK_USD, age_s=0),
        )
        return judge(story.intent, facts, HARD_LIMITS)

    def _worst_usd(self, name: str) -> Fraction:
        held = Fraction(self.book.position("main", name).quantity) * Fraction(MARK_USD)
        return held + sum(
            Fraction(item.quantity_open) * Fraction(MARK_USD)
            for item in self.book.reservations.values()
            if item.instrument == name and item.side.value == "buy"
        )

    def _cash_if_all_filled(self) -> Fraction:
        promised = sum(
            Fraction(item.quantity_open) * Fraction(item.worst_price_usd)
            for item in self.book.reservations.values()
            if item.side.value == "buy"
        )
        return Fraction(self.book.cash_usd["main"]) - promised

    def _least_held(self, name: str) -> Decimal:
        promised = sum(
            item.quantity_open
            for item in self.book.reservations.values()
            if item.instrument == name and item.side.value == "sell"
        )
        return self.book.position("main", name).quantity - promised

    def _day_usd(self) -> Fraction:
        """Return what has traded of a day's orders, and what still may."""
        return sum(
            (
                Fraction(item.filled_usd) + Fraction(item.quantity_open) * Fraction(item.limit_price_usd)
                for item in self.book.recent.sealed.values()
                if self._age_s(item) < 86_400
            ),
            Fraction(0),
        )

    def _sends_no_more_than(self, most: int, window_s: float) -> bool:
        """Whether no more orders of any instrument went out in any such window, whoever proposed them."""
        for name in INSTRUMENTS:
            times = [at for at, intent in self.approved if intent.instrument == name]
            if any(sum(end - window_s < at <= end for at in times) > most for end in times):
                return False
        return True

    def _lacks_no_signature(self) -> bool:
        """Whether no sum of a day's orders, of one shape or of all, is larger than its signatures allow."""
        day = [item for item in self.book.recent.sealed.values() if self._age_s(item) < 86_400]
        allowed = {
            1: (HARD_LIMITS.approval_notional_usd, HARD_LIMITS.approval_total_24h_usd),
            2: (HARD_LIMITS.second_approval_notional_usd, HARD_LIMITS.second_approval_total_24h_usd),
        }
        for fewer, (of_one, of_all) in allowed.items():
            sums: dict[object, Decimal] = {}
            for item in day:
                if item.signatures < fewer:
                    for key in ((item.instrument, item.side), "all"):
                        sums[key] = sums.get(key, D(0)) + item.worth_usd
            if any(usd > (of_all if key == "all" else of_one) for key, usd in sums.items()):
                return False
        return True

    def _age_s(self, item: SealedOrder) -> float:
        return (funded().at + timedelta(seconds=self.seconds) - item.at).total_seconds()

    def _open_usd(self) -> Fraction:
        return sum(
            (
                Fraction(item.quantity_open) * Fraction(item.worst_price_usd)
                for item in self.book.reservations.values()
            ),
            Fraction(0),
        )


def _sealed(story: Story, approvers: tuple[str, ...]) -> ev.EnvelopeSealed:
    """Return the seal with one approval of each who signed."""
    event = story.sealed()
    signed = tuple(story.approval().model_copy(update={"approver": name}) for name in approvers)
    content = event.envelope.content.model_copy(update={"approvals": signed})
    return event.model_copy(update={"envelope": event.envelope.model_copy(update={"content": content})})
