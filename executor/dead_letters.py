"""Watches what the queue set aside: each letter is journalled once and halts its group.

Stage: executor, right after the first receive of a round, because it is the receive that
sets a spent message aside. It removes a letter only after the journal holds a person's
answer. It must never act on what a letter says, nor send it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from executor.diary import EXECUTOR, Diary
from executor.inspection import Forged, Superseded, body_hash, inspect
from executor.judgement import Judgement
from executor.log import Log
from executor.receiving import Receiving
from executor.sending import is_awaiting_order
from ledger.queue import ReceivedMessage
from when_to_invest import events as ev
from when_to_invest.breakers import AUTOMATIC_MOVES, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.letters import MOST_GROUP, DeadLetterArrived, halted_scope

MOST_AT_ONCE: Final = 10


class DeadLetterWatch:
    """Notes dead letters for one executor."""

    def __init__(
        self, *, diary: Diary, queue: Receiving, judgement: Judgement, log: Log, max_receives: int
    ) -> None:
        self._diary = diary
        self._queue = queue
        self._judgement = judgement
        self._log = log
        self._max_receives = max_receives

    async def look(self) -> bool:
        """Note the letters that are new, remove those that were answered; return whether any was.

        Raises:
            Fault: from the journal or the queue.
        """
        found = await self._queue.look(max_messages=MOST_AT_ONCE)
        noted = [await self._considered(letter) for letter in found]
        return any(noted)

    async def before_giving_back(self, message: ReceivedMessage) -> None:
        """Halt the group of a message whose last delivery ends unanswered: it is about to die."""
        if message.receive_count >= self._max_receives:
            why = f"message {message.message_id[:60]} was delivered {message.receive_count} times in vain"
            await self._diary.tighten(halted_scope(message.group), state=TradingState.HALTED, why=why)

    async def _considered(self, letter: ReceivedMessage) -> bool:
        known = self._diary.letters.get(letter.message_id)
        if known is None:
            return await self._note(letter)
        if known.answered is None:
            return False
        await self._remove(letter)
        return True

    async def _note(self, letter: ReceivedMessage) -> bool:
        def decide() -> Sequence[ev.Event]:
            if letter.message_id in self._diary.letters:
                return ()
            return (self._arrived(letter), *self._halted(letter))

        written = await self._diary.write(decide)
        for event in written:
            if isinstance(event, DeadLetterArrived):
                self._log.say(
                    "dead_letter",
                    at=event.at,
                    message_id=event.message_id,
                    code=event.code,
                    halted=halted_scope(letter.group),
                )
        return bool(written)

    def _arrived(self, letter: ReceivedMessage) -> DeadLetterArrived:
        code, why, claimed = self._diagnosis(letter)
        return DeadLetterArrived(
            at=self._diary.now(),
            mode=self._diary.mode,
            message_id=letter.message_id,
            group="".join(sign if sign.isprintable() else "?" for sign in letter.group[:MOST_GROUP]),
            claimed_decision_id=claimed,
            body_hash=body_hash(letter),
            receive_count=letter.receive_count,
            code=code,
            message=why[:500],
        )

    def _diagnosis(self, letter: ReceivedMessage) -> tuple[str, str, str | None]:
        """Return why the letter died: a code, in words, and the decision it is about if it says so."""
        found = inspect(letter, self._diary.decisions)
        if isinstance(found, Forged):
            return found.code, found.why, found.claimed
        decision_id = found.record.decision_id
        if isinstance(found, Superseded):
            return "superseded", "its decision was sealed anew since", decision_id
        try:
            self._judgement.verify(found.envelope)
        except Fault as fault:
            return fault.code.value, fault.message, decision_id
        if not is_awaiting_order(found.record):
            return "dealt_with", f"its decision is {found.record.state.value} already", decision_id
        return "undelivered", f"{letter.receive_count} deliveries ended without an answer", decision_id

    def _halted(self, letter: ReceivedMessage) -> Sequence[ev.Event]:
        scope = halted_scope(letter.group)
        present = self._diary.book.trading_states.get(scope, TradingState.ACTIVE)
        if TradingState.HALTED not in AUTOMATIC_MOVES[present]:
            return ()
        return (
            ev.TradingStateChanged(
                at=self._diary.now(),
                mode=self._diary.mode,
                scope=scope,
                state=TradingState.HALTED,
                by=EXECUTOR,
                why=f"the queue set message {letter.message_id[:60]} aside",
            ),
        )

    async def _remove(self, letter: ReceivedMessage) -> None:
        try:
            await self._queue.remove(letter.receipt)
        except Fault as fault:
            if fault.code is not ErrorCode.RECEIPT_EXPIRED:
                raise
        else:
            self._log.say("dead_letter_removed", at=self._diary.now(), message_id=letter.message_id)
