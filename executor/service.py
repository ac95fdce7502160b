"""The executor's day: recover, then follow orders, reject what expired, take messages.

It owns the order in which its parts act and nothing else. `step` does everything once, as tests
and replays need it; `executor.serving` does the same things side by side.
"""

from __future__ import annotations

from executor.assembly import Parts, assembled
from executor.cancelling import LONGEST_CANCEL_S
from executor.probe import Point
from when_to_invest.errors import Fault

__all__ = ["Parts", "Service"]


class Service:
    """One executor; call `start` once, then `step` for as long as it may run."""

    def __init__(self, parts: Parts) -> None:
        members = assembled(parts)
        self._parts = parts
        self.brake, self._canceller = members.brake, members.canceller
        self._recovery, self._working = members.recovery, members.working
        self._sentry, self._venue_watch = members.sentry, members.venue_watch
        self._valuation, self._watch = members.valuation, members.watch
        self.scheduler, self._intake, self.taking = members.scheduler, members.intake, members.taking
        self._reconciler = members.reconciler

    async def start(self) -> None:
        """Resolve what a former run left open, then announce the new epoch.

        Raises:
            Fault: from journal or venue; nothing was received.
        """
        for name in self._parts.authority.exchanged():
            self._parts.log.say("earlier_key_configured", at=self._parts.diary.now_or_last(), approver=name)
        await self.cancel_stopped()
        await self.brake.note()
        has_begun = False
        self._sentry.doubt_recent()
        while not has_begun and not self._parts.patience.is_over:
            await self._recovery.resolve()
            await self._working.poll()
            await self._sentry.look()
            await self._working.look_back()
            self._parts.probe.reached(Point.RECOVERED)
            has_begun = await self._parts.diary.begin_epoch(
                is_clear=self._recovery.is_clear,
                resolved=self._recovery.resolved,
                quarantined=self._recovery.quarantined,
            )

    async def step(self, *, wait_s: float) -> bool:
        """Do one round, waiting up to `wait_s` for a message; return whether anything happened.

        Raises:
            Fault: a retryable one leaves everything as it was. `clock_back` comes after open orders
                were looked at and before anything is marked, rejected or taken.
        """
        try:
            await self.stop()
            has_moved = await self.follow_orders()
            has_marked = await self.look_after_accounts()
            has_worked = await self._work_plans_once()
            has_taken = await self.taking.round(wait_s=wait_s, may_go_on=self._recovery.is_clear)
            return has_taken or has_moved or has_marked or has_worked or not self._recovery.is_clear()
        except Fault:
            if not await self.answer():
                raise
            return True

    async def answer(self) -> bool:
        """Halt everything when strangers were heard; any other fault is not this one's to answer."""
        return await self._sentry.answer()

    async def cancel_stopped(self) -> None:
        """Cancel what a halt leaves no order open for, whether or not the journal can be reached."""
        await self._canceller.cancel_stopped()

    async def keep_stopped(self) -> None:
        """Do what `cancel_stopped` does without waiting long for the venue: another halt may fall."""
        await self._canceller.cancel_stopped(most_s=LONGEST_CANCEL_S)

    async def stop(self) -> bool:
        """Cancel what is stopped, then tell the journal of new halts."""
        await self.cancel_stopped()
        await self.brake.note()
        return False

    async def follow_orders(self) -> bool:
        """Follow what is open at the venue; return whether anything was recorded."""
        if await self._sentry.look():
            await self._working.look_back()
        has_changed = await self._venue_watch.look()
        await self.recover()
        return await self._working.poll() or has_changed

    async def recover(self) -> bool:
        """Resolve what is unknown; return whether anything was."""
        is_clear = self._recovery.is_clear()
        await self._recovery.resolve()
        return not is_clear

    async def look_after_accounts(self) -> bool:
        """Mark accounts and reject what expired; return whether any was marked."""
        self._parts.diary.demand_forward()
        has_marked = await self._valuation.look()
        await self._intake.reject_ended()
        return has_marked

    async def reconcile(self) -> None:
        """Compare the venue's orders, trades and balances with the journal's."""
        await self._reconciler.look()

    async def work_plans(self) -> None:
        """Wake the plans whose time has come; they are worked beside whatever else goes on."""
        await self.scheduler.look()

    async def _work_plans_once(self) -> bool:
        """Take every plan that is due one step on; return whether anything was recorded."""
        before = await self._parts.diary.refresh()
        await self.scheduler.look()
        await self.scheduler.lanes.settle()
        return await self._parts.diary.refresh() != before

    async def look_at_dead_letters(self) -> bool:
        """Halt the groups of what the queue set aside; return whether anything was noted."""
        return await self._watch.look()

    async def is_idle(self) -> bool:
        """Whether no message waits or is in flight and no order's fate is unknown.

        After a `step` in which nothing happened, no working order can fill at the present
        clock either, because the venue was just asked.
        """
        return self._recovery.is_clear() and await self._parts.queue.is_empty()
