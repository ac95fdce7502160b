"""Changes to the roll that wait for signatures: one file each, readable by its owner only.

A ballot may be carried to another machine and back. It has no power of its own: when enough
people signed, the change is checked against the newest roll and written to the journal, and
everybody who reads the journal checks it again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from cli import papers
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import (
    ApproverEnrolled,
    ApproverRemoved,
    Details,
    KeyholderChange,
    SealKeyAdded,
)
from when_to_invest.motions import Endorsement, Motion

if TYPE_CHECKING:
    from pathlib import Path

    from cli.registry import Registry
    from home.paths import Home
    from signing.signer import DigestSigner

_CHANGE: Final[TypeAdapter[KeyholderChange]] = TypeAdapter(
    Annotated[ApproverEnrolled | ApproverRemoved | SealKeyAdded, Field(discriminator="kind")]
)


def subject_of(change: KeyholderChange) -> str:
    """Return the name under which a ballot is signed: `enrol-NAME`, `remove-NAME`, `seal-ADDRESS`."""
    match change:
        case ApproverEnrolled():
            return f"enrol-{change.approver.name}"
        case ApproverRemoved():
            return f"remove-{change.name}"
        case SealKeyAdded():
            return f"seal-{change.key.address.lower()}"


def motion_for(registry: Registry, purpose: str, *, summary: str, details: Details, requester: str) -> Motion:
    """Return what is to be signed, on the roll as it stands now.

    Raises:
        Fault: `bad_argument` when nobody here is called `requester`; empty is whoever runs this.
    """
    from cli.requesting import requester_of

    roll, asker = registry.roll, requester_of(registry, requester)
    return Motion(
        purpose=purpose,
        summary=summary,
        details=details,
        mode=registry.settings.mode,
        requester=asker.name,
        known_by=asker.known_by,
        serial=roll.serial,
        expires_at=registry.now() + papers.VALID_FOR,
        domain=roll.domain,
    )


def keep(home: Home, change: KeyholderChange) -> Path:
    """Write a ballot, replacing one about the same subject, and return where it is."""
    return papers.keep(_path(home, subject_of(change)), change)


def load(home: Home, subject: str) -> KeyholderChange:
    """Return the ballot about a subject.

    Raises:
        Fault: `bad_argument` when there is none, or the file is damaged.
    """
    absent = Fault(
        ErrorCode.BAD_ARGUMENT,
        f"nothing called {subject!r} waits for signatures",
        fix="list what does with `when-to-invest approvals list`",
    )
    return papers.load(_path(home, subject), _CHANGE, name="ballot", absent=absent)


def waiting(home: Home) -> list[KeyholderChange]:
    """Return the ballots of a home by subject; what cannot be read is left out."""
    found = []
    for path in sorted(home.petitions.glob("roll-*.json")):
        try:
            found.append(_CHANGE.validate_json(path.read_bytes()))
        except (OSError, ValidationError):
            continue
    return found


def drop(home: Home, change: KeyholderChange) -> None:
    """Take a ballot away once it was carried out or rejected."""
    _path(home, subject_of(change)).unlink(missing_ok=True)


def signed(change: KeyholderChange, *, approver: str, signer: DigestSigner) -> KeyholderChange:
    """Return a ballot with the signature of a key that lies here."""
    from signing.eip712 import typed_digest
    from when_to_invest.motions import motion_typed_data

    signature = signer.sign_digest(typed_digest(motion_typed_data(change.motion)))
    return endorsed(change, approver=approver, address=signer.address, signature=signature)


def endorsed(change: KeyholderChange, *, approver: str, address: str, signature: str) -> KeyholderChange:
    """Return a ballot with one more signature; a second one by the same name replaces the first."""
    given = Endorsement(approver=approver, address=address, signature=signature)
    others = tuple(item for item in change.endorsements if item.approver != approver)
    return change.model_copy(update={"endorsements": (*others, given)})


def cast(registry: Registry, change: KeyholderChange) -> bool:
    """Check every signature so far; write the change once a quorum signed it, and say whether.

    Raises:
        Fault: `bad_approval` or `bad_signature` for the first signature that does not hold.
    """
    from policies.quorum import check_motion, endorsers

    def decide() -> tuple[KeyholderChange, ...]:
        now = registry.now()
        ready = change.model_copy(update={"at": now})
        registry.roll.demand(ready)
        return (ready,)

    roll, now = registry.roll, registry.now()
    roll.demand_asker(change.motion)
    check_motion(change.motion, serial=roll.serial, assembly=roll.assembly(now))
    names = endorsers(change.motion, change.endorsements, assembly=roll.assembly(now))
    if len(names) < roll.needed:
        return False
    registry.record(decide)
    drop(registry.home, change)
    return True


def enrolment_end(text: str | None) -> datetime | None:
    """Return an aware instant, or None for a vote without an end.

    Raises:
        Fault: `bad_argument` when it is no date, or a time without its zone.
    """
    from market_data.source import parse_as_of

    return None if text is None else parse_as_of(text)


def _path(home: Home, subject: str) -> Path:
    name = "".join(letter for letter in subject if letter.isalnum() or letter in "-_")
    return home.petitions / f"roll-{name[:80]}.json"
