"""The second judgement: the gate's rules, on the executor's own facts.

Stage: executor, after the seal was checked. Market data, fold, clock and limits are its
own; nothing but the sealed intent and its approvals comes from the proposer's side. The
decision's own reservation is left out of the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar, assert_never

from executor.diary import Diary
from executor.market import Market
from home.callers import RISK
from home.latch import Switch
from policies.caller_limits import judge_by_both
from policies.exposures import instruments_to_mark
from policies.facts import Facts, gather_facts
from policies.latched import under_latch
from policies.limits import Limits
from policies.losses import loss_doubt
from policies.roll import Roll
from policies.turbulence import market_index
from policies.verify import verify_envelope
from signing.eip712 import recover_address, typed_digest
from when_to_invest import events as ev
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.market import ReferencePrice
from when_to_invest.verdicts import Approved, Held, Refused, Verdict

Told = TypeVar("Told")
_DATA_FAULTS: Final = frozenset(
    {ErrorCode.UNKNOWN_INSTRUMENT, ErrorCode.NO_DATA, ErrorCode.CORRUPT_DATA, ErrorCode.AS_OF_BEFORE_DATA}
)
_UNCITABLE: Final = frozenset(
    {ErrorCode.UNKNOWN_RECOMMENDATION, ErrorCode.CORRUPT_DATA, ErrorCode.BAD_ARGUMENT}
)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom the executor believes: its own roll of addresses and compiled limits, no key."""

    roll: Roll
    """Must follow the diary's journal: `roll.follow()` is what the diary asks of each event."""
    limits: Limits
    callers: Mapping[str, Limits]
    """Everybody who may propose here, by name, with the limits of their orders."""

    def demand_founders(self) -> None:
        """Return when the journal knows this process's own approvers, or raise `looser_limit`."""
        self.roll.electors.demand_no_stranger(self.roll.anchors.approvers)

    def exchanged(self) -> tuple[str, ...]:
        """Return the approvers whom this process has configured with a key they have no more."""
        return self.roll.electors.exchanged(self.roll.anchors.approvers)


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict and the event that records what it was based on."""

    verdict: Verdict
    event: ev.IntentJudged


class Judgement:
    """Verifies envelopes and judges their intents again."""

    def __init__(self, *, authority: Authority, diary: Diary, market: Market, switch: Switch) -> None:
        self._authority = authority
        self._switch = switch
        self._diary = diary
        self._market = market

    def verify(self, envelope: Envelope, *, begun_at: datetime | None = None) -> EnvelopeContent:
        """Return the content of an envelope whose seal, expiry, mode and approvals hold.

        `begun_at`: when a plan began to work it, where it does; the envelope and its approvals had to
        be live then. Keys, people and callers count as they are now.

        Raises:
            Fault: the first of them that does not, as `policies.verify` names it; `forbidden` when
                whoever proposed it is no caller here, or it sells after a loss that is not seen
                here; `clock_back` before all others.
        """
        self._diary.demand_forward()
        self._demand_caller(envelope.content)
        roll, now = self._authority.roll, self._diary.now()
        content = verify_envelope(
            envelope,
            seal_addresses=roll.seals.trusted(now, sealed_at=envelope.content.sealed_at),
            approvers=roll.at(now),
            limits_hash=self._authority.limits.digest(),
            now=begun_at or now,
            mode=self._diary.mode,
            domain=roll.domain,
            typed_digest=typed_digest,
            recover=recover_address,
        )
        self._demand_loss(content)
        return content

    def judge(self, content: EnvelopeContent) -> Opinion:
        """Judge a verified content's intent on the diary's present fold, by its proposer's limits too."""
        facts = under_latch(self._facts(content), content.intent, self._switch.read())
        authority = self._authority
        own = authority.callers.get(content.intent.proposer, authority.limits)
        verdict = judge_by_both(content.intent, facts, own=own, everybody=authority.limits)
        return Opinion(verdict, self._recorded(verdict, content=content, facts=facts, limits=own))

    def instrument(self, name: str) -> Instrument:
        """Return an instrument by this process's own data.

        Raises:
            Fault: as `Market.instrument`.
        """
        return self._market.instrument(name)

    def _demand_caller(self, content: EnvelopeContent) -> None:
        """Return when this process knows whoever proposed the intent, as the journal has it too.

        Raises:
            Fault: `forbidden`; nobody knows what a stranger may do.
        """
        name, record = content.intent.proposer, self._diary.decisions.get(content.decision_id)
        if name not in self._authority.callers or record is None or record.caller != name:
            raise Fault(
                ErrorCode.FORBIDDEN,
                f"{name!r} is no caller of this home, or not who proposed this",
                fix=f"enrol it as [callers.{name}] in the executor's own config.toml, too",
            )

    def _demand_loss(self, content: EnvelopeContent) -> None:
        """Return when people signed a sale after a loss, or the loss shows on this process's own prices.

        Raises:
            Fault: `forbidden`, saying what shows instead; who writes the journal can make up a breaker.
        """
        intent, book = content.intent, self._diary.book
        if intent.proposer != RISK or not isinstance(intent, OrderIntent) or content.approvals:
            return
        prices = {name: price for name in instruments_to_mark(book) if (price := self._reference(name))}
        doubt = loss_doubt(
            intent.account,
            book=book,
            prices=prices,
            limits=self._authority.limits,
            now=self._diary.now(),
        )
        if doubt is not None:
            raise Fault(
                ErrorCode.FORBIDDEN,
                f"a sale after a loss that is not seen: {doubt}",
                fix="find out who tripped the breaker; sell by an order of your own if it should go",
            )

    def _facts(self, content: EnvelopeContent) -> Facts:
        intent, book, now = content.intent, self._diary.book, self._diary.now()
        named = intent.instrument if isinstance(intent, OrderIntent) else None
        reference = self._reference(named)
        marks = {name: price for name in instruments_to_mark(book) if (price := self._reference(name))}
        return gather_facts(
            intent,
            decision_id=content.decision_id,
            book=book,
            instrument=self._instrument(named),
            reference=reference,
            marks=marks,
            approvers=frozenset(approval.approver for approval in content.approvals),
            now=now,
            mode=self._diary.mode,
            recommendation_expires_at=self._cited_until(intent),
            index=market_index(reference, self._reference),
            is_sealed=True,
        )

    def _cited_until(self, intent: OrderIntent | ChainIntent) -> datetime | None:
        """Return until when the recommendation behind an order counts; none, which refuses, if unknown."""
        if not isinstance(intent, OrderIntent) or intent.recommendation_id is None:
            return None
        try:
            return self._market.recommendation_expiry(intent.recommendation_id, instrument=intent.instrument)
        except Fault as fault:
            if fault.code not in _UNCITABLE:
                raise
            return None

    def _instrument(self, name: str | None) -> Instrument | None:
        return None if name is None else _known(lambda: self._market.instrument(name))

    def _reference(self, name: str | None) -> ReferencePrice | None:
        return None if name is None else _known(lambda: self._market.reference(name, now=self._diary.now()))

    def _recorded(
        self, verdict: Verdict, *, content: EnvelopeContent, facts: Facts, limits: Limits
    ) -> ev.IntentJudged:
        said = _outcome(verdict)
        return ev.IntentJudged(
            at=self._diary.now(),
            mode=self._diary.mode,
            decision_id=content.decision_id,
            judge=ev.Judge.EXECUTOR,
            outcome=said.outcome,
            reasons=() if isinstance(verdict, Approved) else verdict.reasons,
            approvals_needed=said.approvals_needed,
            facts_hash=facts.digest(),
            facts_json=facts.canonical().decode(),
            limits_hash=limits.digest(),
        )


def _known(ask: Callable[[], Told]) -> Told | None:
    """Return what is told; data that cannot be read count as not known, which refuses."""
    try:
        return ask()
    except Fault as fault:
        if fault.code not in _DATA_FAULTS:
            raise
        return None


@dataclass(frozen=True, slots=True)
class _Outcome:
    outcome: ev.Outcome
    approvals_needed: int = 0


def _outcome(verdict: Verdict) -> _Outcome:
    match verdict:
        case Approved():
            return _Outcome(ev.Outcome.APPROVED)
        case Held():
            return _Outcome(ev.Outcome.HELD, verdict.approvals_needed)
        case Refused():
            return _Outcome(ev.Outcome.REFUSED)
        case _:
            assert_never(verdict)
