"""Which keys' seals count when: anchors of this process, keys that a quorum added, and ends.

Stage: gate and executor. Windows may overlap, so that a new key is trusted before the old
one is not; a seal counts only while its key's window holds both its making and this moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import SealKey


@dataclass(slots=True)
class SealKeys:
    """Mutable part of the roll; addresses in lower case."""

    anchors: frozenset[str]
    """Trusted by this process's own configuration, until retired."""
    _added: dict[str, SealKey] = field(default_factory=dict)
    _ends: dict[str, datetime] = field(default_factory=dict)

    def knows(self, address: str) -> bool:
        """Return whether a key was ever trusted; it is not added a second time."""
        return address.lower() in self._added or address.lower() in self.anchors

    def add(self, key: SealKey) -> None:
        """Trust a key within its window."""
        self._added[key.address.lower()] = key
        if key.not_after is not None:
            self.retire(key.address, not_after=key.not_after)

    def retire(self, address: str, *, not_after: datetime) -> None:
        """End a key's window; of two ends the earlier holds."""
        known = self._ends.get(address.lower(), not_after)
        self._ends[address.lower()] = min(known, not_after)

    def trusted(self, now: datetime, *, sealed_at: datetime) -> frozenset[str]:
        """Return whose seal counted at `sealed_at` and still counts at `now`."""
        return frozenset(
            address
            for address in self.anchors | set(self._added)
            if self._counts(address, sealed_at) and self._counts(address, now)
        )

    def demand(self, address: str, *, now: datetime) -> None:
        """Return when a seal made now by this key would count.

        Raises:
            Fault: `key_missing` naming the address; nothing that it sealed would be acted on.
        """
        if not self.knows(address) or not self._counts(address.lower(), now):
            raise Fault(
                ErrorCode.KEY_MISSING,
                f"the sealing key {address} is not trusted here now",
                fix="have [signing] seal name a key that counts (`when-to-invest keys list`) and restart, or "
                "add this one with `when-to-invest keys add`",
            )

    def added(self) -> tuple[SealKey, ...]:
        """Return what a quorum added, with the end that holds now; anchors are not among them."""
        return tuple(
            key.model_copy(update={"not_after": self._ends.get(address)})
            for address, key in self._added.items()
        )

    def end_of(self, address: str) -> datetime | None:
        """Return when a key's window ends; none while no end is known."""
        return self._ends.get(address.lower())

    def _counts(self, address: str, when: datetime) -> bool:
        end = self._ends.get(address)
        has_ended = end is not None and when > end
        return not has_ended and (address in self.anchors or when >= self._added[address].not_before)
