"""What people are asked to sign together, kept in the home until enough of them have.

A petition is a file that only its owner can read; it may be carried to another machine and
back. It has no power of its own: the orders service checks every signature.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from cli import papers
from tool_servers.orders.stops import SignedResumption, SignedSettlement
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.remedies import Finding

if TYPE_CHECKING:
    from home.paths import Home
    from signing.signer import DigestSigner

Petition = SignedResumption | SignedSettlement
_LEAST_WORDS: Final = 10
_MOST_WORDS: Final = 200
_PETITION: Final[TypeAdapter[Petition]] = TypeAdapter(Petition)


def petition_path(home: Home, subject: str) -> Path:
    """Return where the petition about a scope or a decision is kept."""
    return home.petitions / f"{hashlib.sha256(subject.encode()).hexdigest()[:16]}.json"


def keep(home: Home, petition: Petition) -> Path:
    """Write a petition, replacing the one about the same subject, and return where it is."""
    return papers.keep(petition_path(home, subject_of(petition)), petition)


def subject_of(petition: Petition) -> str:
    """Return the scope or the decision that it is about."""
    return petition.scope if isinstance(petition, SignedResumption) else petition.decision_id


def load(home: Home, subject: str) -> Petition:
    """Return the petition about a scope or a decision.

    Raises:
        Fault: `bad_argument` when nobody asked for it yet, or the file is damaged.
    """
    absent = Fault(
        ErrorCode.BAD_ARGUMENT, f"nobody has asked for {subject!r} yet", fix="ask for it first, see --help"
    )
    return papers.load(petition_path(home, subject), _PETITION, name="petition", absent=absent)


def drop(home: Home, petition: Petition) -> None:
    """Take a petition away once it was carried out."""
    petition_path(home, subject_of(petition)).unlink(missing_ok=True)


def signed_by(petition: Petition, *, approver: str, signer: DigestSigner) -> Petition:
    """Return the petition with one more signature.

    Raises:
        Fault: `bad_approval` when the approver signed before.
    """
    from signing.eip712 import typed_digest
    from when_to_invest.motions import motion_typed_data

    signature = signer.sign_digest(typed_digest(motion_typed_data(petition.motion)))
    return with_signature(petition, approver=approver, address=signer.address, signature=signature)


def with_signature(petition: Petition, *, approver: str, address: str, signature: str) -> Petition:
    """Return the petition with a signature that was made elsewhere.

    Raises:
        Fault: `bad_approval` when the approver signed before; `bad_argument` when it is none.
    """
    from when_to_invest.motions import Endorsement

    if approver in {given.approver for given in petition.endorsements}:
        raise Fault(
            ErrorCode.BAD_APPROVAL, f"{approver} has signed it already", fix="have another approver sign"
        )
    try:
        given = Endorsement(approver=approver, address=address, signature=signature)
    except ValidationError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "that is no signature by a named approver",
            fix="give 0x and 130 lower-case hex digits",
        ) from error
    return petition.model_copy(update={"endorsements": (*petition.endorsements, given)})


def parse_finding(filled: str, *, is_absent: bool, evidence: str) -> Finding:
    """Return what people found: `QUANTITY@PRICE` in base units and USD, or nothing more.

    Raises:
        Fault: `bad_argument` when it is neither or both, or the evidence says nothing.
    """
    from when_to_invest.money import parse_amount_usd

    if bool(filled) is is_absent:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, "say what was found, once", fix="give --filled QUANTITY@PRICE or --absent"
        )
    if not _LEAST_WORDS <= len(evidence) <= _MOST_WORDS or not evidence.isprintable():
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the evidence is one line of 10 to 200 characters",
            fix="name the statement or screen of the venue that shows it",
        )
    if is_absent:
        return Finding(Decimal(0), None, evidence)
    quantity, _, price = filled.partition("@")
    return Finding(
        parse_amount_usd(quantity, name="the executed quantity"),
        parse_amount_usd(price, name="the price"),
        evidence,
    )
