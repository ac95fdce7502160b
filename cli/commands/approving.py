"""`approvals list|show|sign|reject`: people who lift a hold, each with their own key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.approver_keys import KeyOption, approver_signer
from cli.commands import electing
from cli.commands.electing import OPERATOR, SubjectArgument, cast_ballot, is_ballot, show_ballot
from cli.options import HomeOption, JsonOption, PassphraseFileOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home
    from signing.signer import DigestSigner
    from when_to_invest.approvals import Approval
    from when_to_invest.domains import SigningDomain
    from when_to_invest.history import DecisionRecord

VALID_FOR = timedelta(hours=1)
"""How long a signature counts; shorter when the hold itself ends sooner."""

_EXCHANGED = "; config.toml has an earlier key of theirs, which has no vote"

ApproverOption = Annotated[str, typer.Option("--as", help="Name of the approver whose key signs.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="approvals", help="Held decisions, and signatures that release them.")
    for command in (show, sign, reject):
        group.command()(command)
    electing.register(group)
    group.command("list")(list_held)
    app.add_typer(group)


def held_records(home: Home) -> list[DecisionRecord]:
    """Return the decisions that wait for signatures, oldest first."""
    from cli.commands.operating import decisions_of
    from when_to_invest.history import DecisionState

    return [record for record in decisions_of(home).values() if record.state is DecisionState.HELD]


def held_record(home: Home, decision_id: str) -> DecisionRecord:
    """Return one held decision.

    Raises:
        Fault: `unknown_decision` when it does not exist or does not wait for anybody.
    """
    for record in held_records(home):
        if record.decision_id == decision_id:
            return record
    raise Fault(
        ErrorCode.UNKNOWN_DECISION,
        f"no decision {decision_id!r} is waiting for approval",
        fix="list those that are with `when-to-invest approvals list`",
    )


def list_held(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List what waits for signatures, and who may give them."""
    from cli.ballots import subject_of, waiting
    from cli.cards import decision_json, decision_table
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    records, ballots, voters = held_records(place), waiting(place), _voters(place)
    if json:
        changes = [{"subject": subject_of(item), "summary": item.motion.summary} for item in ballots]
        held = [decision_json(record) for record in records]
        print_json({"held": held, "changes": changes, "approvers": voters})
        return
    console().print(decision_table(records))
    for item in ballots:
        console().print(f"waiting  {subject_of(item)}: {item.motion.summary}")
    for row in voters:
        console().print(f"approver {row['name']:<16} {row['address']} {row['standing']}")


def _voters(home: Home) -> list[dict[str, str | None]]:
    """Return everybody on the roll with how they stand now; nobody before the home was started."""
    from cli.registry import open_registry
    from home.settings import read_settings
    from ledger.opening import has_ledger
    from when_to_invest.canonical import utc_text

    if not has_ledger(read_settings(home).ledger, home):
        return []
    with open_registry(home, is_read_only=True) as registry:
        roll, voting = registry.roll, registry.roll.at(registry.now())
        exchanged = roll.electors.exchanged(roll.anchors.approvers)
        return [
            {
                "name": name,
                "address": member.address,
                "valid_until": None if member.valid_until is None else utc_text(member.valid_until),
                "standing": ("votes" if name in voting else "has no vote now")
                + (_EXCHANGED if name in exchanged else ""),
            }
            for name, member in roll.members.items()
        ]


def show(subject: SubjectArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show what waits for signatures and the exact document an approver would sign."""
    from cli.ballots import load
    from cli.cards import decision_card
    from cli.output import console, print_json
    from home.paths import home_at
    from when_to_invest.domains import wallet_json

    place = home_at(home)
    if is_ballot(subject):
        show_ballot(place, load(place, subject), as_json=json)
        return
    record = held_record(place, subject)
    if not json:
        console().print(decision_card(record))
        return
    print_json({"decision_id": subject, "typed_data": wallet_json(document_of(place, record).typed_data)})


@dataclass(frozen=True, slots=True)
class Document:
    """What an approver signs now, and the two facts that the signature is bound to besides."""

    typed_data: dict[str, Any]
    expires_at: datetime
    domain: SigningDomain


def document_of(home: Home, record: DecisionRecord) -> Document:
    """Return the document that releases a held decision, good until its hold ends at the latest."""
    from cli.registry import open_registry
    from when_to_invest.approvals import approval_typed_data

    with open_registry(home, is_read_only=True) as registry:
        domain, expires_at = registry.roll.domain, registry.now() + VALID_FOR
    verdict = record.verdict
    if verdict is not None and verdict.hold_expires_at is not None:
        expires_at = min(expires_at, verdict.hold_expires_at)
    typed = approval_typed_data(
        decision_id=record.decision_id, intent=record.intent, expires_at=expires_at, domain=domain
    )
    return Document(typed, expires_at, domain)


def sign(
    subject: SubjectArgument,
    *,
    approver: ApproverOption,
    key: KeyOption = None,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> int:
    """Sign a held decision, or a change to the roll, with your own key, and hand it in."""
    from cli.ballots import load, signed
    from cli.output import console
    from home.paths import home_at
    from when_to_invest.approvals import describe_intent

    place = home_at(home)
    if is_ballot(subject):
        change = load(place, subject)
        signer = approver_signer(place, approver, key=key, passphrase_file=passphrase_file)
        return cast_ballot(place, signed(change, approver=approver, signer=signer), as_json=json)
    record = held_record(place, subject)
    if not json:
        console().print(f"signing as [bold]{approver}[/]: {describe_intent(record.intent)}")
    signer = approver_signer(place, approver, key=key, passphrase_file=passphrase_file)
    answer = hand_in(place, sign_approval(place, record, approver=approver, signer=signer), as_json=json)
    return EXIT_REFUSED if answer.get("verdict") == "refused" else EXIT_OK


def hand_in(home: Home, approval: Approval, *, as_json: bool) -> dict[str, object]:
    """Give a signature to the gate, and show and return its answer."""
    from cli.cards import verdict_lines
    from cli.operator_client import call_orders
    from cli.output import console, print_json

    answer = call_orders(home, "/approvals", approval.model_dump(mode="json"))
    if as_json:
        print_json(answer)
    else:
        console().print(verdict_lines(answer))
    return answer


def sign_approval(home: Home, record: DecisionRecord, *, approver: str, signer: DigestSigner) -> Approval:
    """Make the approver's EIP-712 signature over this exact intent and an expiry.

    Raises:
        Fault: what the signer raises.
    """
    from signing.eip712 import typed_digest
    from when_to_invest.approvals import Approval

    document = document_of(home, record)
    return Approval(
        decision_id=record.decision_id,
        intent_hash=record.intent.digest(),
        mode=record.intent.mode,
        approver=approver,
        address=signer.address,
        expires_at=document.expires_at,
        signature=signer.sign_digest(typed_digest(document.typed_data)),
        domain=document.domain,
    )


def reject(
    subject: SubjectArgument,
    *,
    approver: Annotated[
        str, typer.Option("--as", help="The approver who declines; without it the operator does.")
    ] = OPERATOR,
    why: Annotated[str, typer.Option(help="Reason, at most 200 characters.")] = "",
    key: KeyOption = None,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> None:
    """Decline a held decision: it will never be sent. A change that waits is dropped.

    With --key or --passphrase-file the approver's signature goes with it; without, the journal
    says that the operator's token vouched.
    """
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    if is_ballot(subject):
        _drop_ballot(place, subject, approver=approver)
        answer: dict[str, object] = {"subject": subject, "rejected": True}
    else:
        record = held_record(place, subject)
        is_signed = key is not None or passphrase_file is not None
        signer = (
            approver_signer(place, approver, key=key, passphrase_file=passphrase_file) if is_signed else None
        )
        answer = _decline(place, record, approver=approver, why=why, signer=signer)
    if json:
        print_json(answer)
    else:
        console().print(f"[bold]declined[/] {subject}")


def _drop_ballot(home: Home, subject: str, *, approver: str) -> None:
    from cli.ballots import drop, load
    from cli.registry import open_registry
    from cli.requesting import requester_of

    change = load(home, subject)
    with open_registry(home, is_read_only=True) as registry:
        requester_of(registry, approver)
    drop(home, change)


def _decline(
    home: Home, record: DecisionRecord, *, approver: str, why: str, signer: DigestSigner | None
) -> dict[str, object]:
    from cli.operator_client import call_orders
    from tool_servers.untrusted import plain_text

    told: dict[str, object] = {"decision_id": record.decision_id, "approver": approver, "why": why}
    if signer is not None:
        from signing.eip712 import typed_digest
        from when_to_invest.approvals import decline_typed_data

        domain, shown = document_of(home, record).domain, plain_text(why)
        typed = decline_typed_data(
            decision_id=record.decision_id, intent=record.intent, why=shown, domain=domain
        )
        signature = signer.sign_digest(typed_digest(typed))
        told["endorsement"] = {"approver": approver, "address": signer.address, "signature": signature}
    return call_orders(home, "/declines", told)
