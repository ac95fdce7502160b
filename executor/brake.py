"""The executor's brake: asked right before the venue hears anything, and when orders are looked at.

Stage: executor. It joins the journal's trading states with the local latch, whichever is
stricter. It never loosens; a latch goes away only after the journal holds the quorum for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from executor.diary import EXECUTOR, Diary
from executor.log import Log
from home.latch import Switch
from ledger.halting import in_force, take_away_lifted, told, untold
from policies.latched import is_from_before, may_go, state_of
from when_to_invest import events as ev
from when_to_invest.breakers import SYSTEM, Halt, TradingState
from when_to_invest.errors import Fault
from when_to_invest.intents import ChainIntent, OrderIntent


class Brake:
    """One executor's view of what is halted."""

    def __init__(self, *, diary: Diary, switch: Switch, log: Log) -> None:
        self._diary = diary
        self.switch = switch
        self._log = log

    def may_go(self, intent: OrderIntent, halts: Sequence[Halt]) -> bool:
        """Return whether an approved order may be sent under the journal and these latches."""
        return may_go(intent, self._diary.book, halts)

    def objection(self, intent: OrderIntent | ChainIntent, halts: Sequence[Halt]) -> str | None:
        """Return why an order may neither be sent nor stay open, as the gate's rule codes it; none if it may.

        A halt means every order; where positions may only shrink, it is every purchase.
        """
        if not isinstance(intent, OrderIntent) or self.may_go(intent, halts):
            return None
        state = state_of(intent, self._diary.book, halts)
        return "only_reducing" if state is TradingState.REDUCING else "trading_halted"

    def is_from_before(self, intent: OrderIntent, *, sealed_at: datetime) -> bool:
        """Return whether a halt over this order was lifted after it was sealed."""
        return is_from_before(intent, self._diary.book, sealed_at=sealed_at)

    async def note(self) -> None:
        """Tell the journal of latches it does not know, and take away those that were lifted.

        Raises:
            Fault: from the journal; the latch holds all the same.
        """

        def decide() -> Sequence[ev.Event]:
            latches = untold(self.switch, self._diary.book)
            return told(latches, at=self._diary.now_or_last(), mode=self._diary.mode)

        for event in await self._diary.write(decide) if untold(self.switch, self._diary.book) else ():
            if isinstance(event, ev.TradingStateChanged):
                self._log.say("halt_noted", at=event.at, scope=event.scope, state=event.state.value)
        take_away_lifted(self.switch, self._diary.book)

    async def pull(self, *, why: str, is_news: bool = False) -> None:
        """Halt everything: the latch first, which needs neither journal nor clock, then the journal.

        Where everything is halted already nothing is added, so that a process that is started
        again and again does not make void what people sign meanwhile. What `is_news` is added
        unless a halt of everything says it already: nobody goes on without having read it. The
        latch is down before anybody else may go on.
        """
        halts = in_force(self.switch, self._diary.book)
        of_all = [halt for halt in halts if (halt.scope, halt.state) == (SYSTEM, TradingState.HALTED)]
        if any(halt.why == why or not is_news for halt in of_all):
            self._log.say("halted_already", why=why)
            return
        halt = Halt(SYSTEM, TradingState.HALTED, self._diary.now_or_last(), EXECUTOR, why[:200])
        try:
            self.switch.drop(halt)
            self._log.say("halted", why=why)
            await self.note()
        except Fault as fault:
            self._log.say("halt_failed", code=fault.code.value)
            await self._diary.tighten(SYSTEM, state=TradingState.HALTED, why=why)
