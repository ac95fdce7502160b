"""What the agent wants done. No client ids, no keys, no free-form parameters."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from when_to_invest.canonical import digest
from when_to_invest.enums import at_hand
from when_to_invest.execution import MOST_SLICES, Execution, fits
from when_to_invest.instruments import InstrumentId
from when_to_invest.money import PositiveDecimal
from when_to_invest.values import Address, DecisionId, Instant, Mode, Name
from when_to_invest.written import WrittenOnce

Why = Annotated[str, StringConstraints(max_length=500)]
"""The proposer's own words: untrusted, shown, never obeyed."""
RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,80}$")]
"""The proposer's idempotency key: the same key from the same caller is the same decision."""


@at_hand
@unique
class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1


@unique
class TimeInForce(StrEnum):
    """How long an order may rest.

    `DAY`: until the end of the next session of the instrument. `IOC`: what cannot trade at
    the first price is cancelled.
    """

    DAY = "day"
    IOC = "ioc"


class OrderIntent(WrittenOnce):
    """A limit order that somebody wants placed; sizes are decided, nothing is signed."""

    kind: Literal["order"] = "order"
    mode: Mode
    account: Name
    venue: Name
    instrument: InstrumentId
    side: Side
    quantity: PositiveDecimal
    limit_price_usd: PositiveDecimal
    time_in_force: TimeInForce
    recommendation_id: str | None = Field(default=None, max_length=80)
    why: Why = ""
    proposer: Name
    request_id: RequestId
    proposed_at: Instant
    execution: Execution | None = None
    """How it is to be worked; without it one order is sent at the limit."""

    @model_validator(mode="after")
    def _plan_fits(self) -> Self:
        if self.execution is not None and not fits(self.execution, self.quantity):
            raise ValueError(f"an iceberg shows at most all, and at least one part in {MOST_SLICES}")
        return self

    @model_serializer(mode="wrap")
    def _without_empty_plan(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave an absent plan out: old intents keep the bytes that were signed and sealed."""
        written: dict[str, Any] = write(self)
        if self.execution is None:
            written.pop("execution", None)
        return written


class ChainIntent(WrittenOnce):
    """A token transfer that somebody wants made on a chain."""

    kind: Literal["chain"] = "chain"
    mode: Mode
    account: Name
    chain_id: int = Field(gt=0)
    token: Address | None
    """Contract of the token; none for the chain's own coin."""
    recipient: Address
    amount: PositiveDecimal
    """In whole units of the token."""
    why: Why = ""
    proposer: Name
    request_id: RequestId
    proposed_at: Instant


Intent = Annotated[OrderIntent | ChainIntent, Field(discriminator="kind")]


def decision_id_of(*, proposer: str, request_id: str) -> DecisionId:
    """Return the decision id of a proposal: the same caller and key give the same id."""
    return "d-" + digest({"proposer": proposer, "request_id": request_id})[:24]
