"""The one way to a venue: paced, bounded, watched, one request at a time where a venue wants that.

Stage: executor → venue. Every request of an adapter goes through `Line.ask`, which repeats
nothing. A failure leaves it as `Missed`, together with what had been heard.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Collection
from typing import Any, Final

from executor.redaction import redacted
from executor.venues.ccxt.breaker import Breaker
from executor.venues.ccxt.dialects import Dialect
from executor.venues.ccxt.heard import Heard, hearing
from executor.venues.ccxt.pacing import CANCEL, ORDER, QUESTION, Cost, NotNowError, Pacing, Turnstile

TOO_MANY: Final = frozenset({418, 429})
SHORTEST_REST_S: Final = 1.0
"""Kept after a refusal for asking too often that named no time."""
_URGENCY: Final = {"create_order": ORDER, "cancel_order": CANCEL}
_MOST_S: Final = {ORDER: 2.0, CANCEL: 30.0, QUESTION: 30.0}
"""How long a request may wait to begin: an order's price is good for moments only."""
_SILENT: Final = frozenset({0, 500, 502, 503, 504, 520, 521, 522, 525, 526, 530})


class UnreadableError(Exception):
    """An answer that was a page of text."""


class MissedError(Exception):
    """A request that failed: why, in ccxt's words, and what was heard of it."""

    def __init__(self, error: Exception, heard: Heard, *, secrets: Collection[str] = ()) -> None:
        # ccxt quotes whole addresses, of which a signature is a part; this text goes to the journal.
        super().__init__(redacted(str(error), secrets=secrets))
        self.error = error
        self.heard = heard


class Line:
    """Asks one ccxt client over one pool of connections; a dialect's `weights` say what a method costs."""

    def __init__(
        self,
        client: Any,
        *,
        pacing: Pacing,
        breaker: Breaker,
        dialect: Dialect,
        monotonic: Callable[[], float],
        session: Any,
    ) -> None:
        self.client = client
        self.monotonic = monotonic
        self._session = session
        self._pacing = pacing
        self._breaker = breaker
        self._turnstile = Turnstile(dialect.places)
        self._weights = dialect.weights
        self._secrets = [getattr(client, name, None) or "" for name in ("apiKey", "secret", "password")]

    async def close(self) -> None:
        """Close the client and its pool of connections; closing twice is allowed."""
        await self.client.close()
        await self._session.close()

    async def ask(
        self, method: str, *arguments: Any, weight: float | None = None, since_s: float | None = None
    ) -> Any:
        """Return what the client's `method` returns.

        `since_s`: when an order began to wait, on the clock `monotonic`; now where it is none.

        Raises:
            NotNowError: nothing was begun; the venue is to be left alone.
            MissedError: anything that went wrong afterwards.
        """
        urgency = _URGENCY.get(method, QUESTION)
        if urgency != CANCEL and not self._breaker.lets_pass():
            raise NotNowError("the venue has failed several times in a row")
        began_s = self.monotonic() if since_s is None else since_s
        async with self._turnstile.passing(urgency):
            spent = self._weights.get(method, 1.0) if weight is None else weight
            await self._pacing.take(Cost(spent, urgency, self._patience_s(urgency, began_s)))
            return await self._call(getattr(self.client, method), arguments)

    def _patience_s(self, urgency: int, began_s: float) -> float:
        """Return how long a request may still wait; for an order, all that it waited for counts.

        # INVARIANT: an order leaves within moments of the last look at halts and expiry, or never.

        Raises:
            NotNowError: an order has waited too long already.
        """
        if urgency != ORDER:
            return _MOST_S[urgency]
        waited_s = self.monotonic() - began_s
        if waited_s > _MOST_S[ORDER]:
            raise NotNowError(f"the venue's line was busy for {waited_s:.1f} s")
        return _MOST_S[ORDER] - waited_s

    async def _call(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        # ccxt changes rounding and traps of the decimal context that it runs in.
        with hearing() as heard, decimal.localcontext():
            try:
                answer = await method(*arguments)
            except Exception as error:
                self._note(heard)
                # ccxt looks for the order in a page of text, too, and calls it not found.
                missed = _unreadable() if heard.is_garbled else error
                raise MissedError(missed, heard, secrets=self._secrets) from error
            if heard.is_garbled:
                # ccxt takes a page for an answer in which nothing is told.
                self._breaker.note_silence()
                raise MissedError(_unreadable(), heard)
        self._breaker.note_answer()
        return answer

    def _note(self, heard: Heard) -> None:
        """Learn from a failure: whether anybody answered, and how long to stay away."""
        if heard.status in TOO_MANY:
            named = heard.retry_after_s
            self._pacing.leave_alone(SHORTEST_REST_S if named is None else named)
        if heard.status in _SILENT or heard.is_garbled:
            self._breaker.note_silence()
        else:
            self._breaker.note_answer()


def _unreadable() -> UnreadableError:
    return UnreadableError("the answer is no JSON")
