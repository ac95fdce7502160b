"""`approvals enrol|list|show|sign|reject`: people who lift a hold, each with their own key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import HomeOption, JsonOption, PassphraseFileOption, read_passphrase
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from home.paths import Home
    from when_to_invest.approvals import Approval
    from when_to_invest.domains import SigningDomain
    from when_to_invest.history import DecisionRecord

VALID_FOR = timedelta(hours=1)
"""How long a signature counts; shorter when the hold itself ends sooner."""

DecisionArgument = Annotated[str, typer.Argument(help="Id of a held decision (d-…).")]
ApproverOption = Annotated[str, typer.Option("--as", help="Name of the approver whose key signs.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="approvals", help="Held decisions, and signatures that release them.")
    for command in (enrol, show, sign, reject):
        group.command()(command)
    group.command("list")(list_held)
    app.add_typer(group)


def keystore_of(home: Home, approver: str) -> Path:
    """Return where an approver's encrypted key lies on this machine."""
    return home.keys / f"approver-{approver}.json"


def enrol(
    name: Annotated[str, typer.Argument(help="Lower-case name of the approver.")],
    *,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> None:
    """Make an approver's key; the printed line in config.toml is what gives it a vote."""
    from cli.output import console, print_json
    from home.paths import home_at
    from signing.keystore import create_keystore

    path = keystore_of(home_at(home).make(), name)
    passphrase = read_passphrase(passphrase_file, prompt=f"new passphrase for {name}: ")
    address = create_keystore(path, passphrase=passphrase, name=name)
    line = f'{name} = "{address}"'
    if json:
        print_json({"approver": name, "address": address, "config_line": line})
        return
    console().print(
        f"[bold green]enrolled[/] {name}\nAdd this below [bold]\\[approvers][/] in config.toml and restart "
        f"the services:\n  {line}"
    )


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
    """List held decisions with what each still needs."""
    from cli.cards import decision_json, decision_table
    from cli.output import console, print_json
    from home.paths import home_at

    records = held_records(home_at(home))
    if json:
        print_json({"held": [decision_json(record) for record in records]})
    else:
        console().print(decision_table(records))


def show(decision_id: DecisionArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show a held decision and the exact document an approver would sign."""
    from cli.cards import decision_card
    from cli.output import console, print_json
    from home.paths import home_at
    from when_to_invest.domains import wallet_json

    place = home_at(home)
    record = held_record(place, decision_id)
    if not json:
        console().print(decision_card(record))
        return
    print_json({"decision_id": decision_id, "typed_data": wallet_json(document_of(place, record).typed_data)})


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
    decision_id: DecisionArgument,
    *,
    approver: ApproverOption,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> int:
    """Sign a held decision with your own key and hand the signature to the gate."""
    from cli.cards import verdict_lines
    from cli.operator_client import call_orders
    from cli.output import console, print_json
    from home.paths import home_at
    from when_to_invest.approvals import describe_intent

    place = home_at(home)
    record = held_record(place, decision_id)
    if not json:
        console().print(f"signing as [bold]{approver}[/]: {describe_intent(record.intent)}")
    passphrase = read_passphrase(passphrase_file, prompt=f"passphrase of {approver}: ")
    approval = sign_approval(place, record, approver=approver, passphrase=passphrase)
    answer = call_orders(place, "/approvals", approval.model_dump(mode="json"))
    if json:
        print_json(answer)
    else:
        console().print(verdict_lines(answer))
    return EXIT_REFUSED if answer.get("verdict") == "refused" else EXIT_OK


def sign_approval(home: Home, record: DecisionRecord, *, approver: str, passphrase: str) -> Approval:
    """Make the approver's EIP-712 signature over this exact intent and an expiry.

    Raises:
        Fault: `key_missing` or `wrong_passphrase`.
    """
    from signing.eip712 import typed_digest
    from signing.keystore import unlock_keystore
    from when_to_invest.approvals import Approval

    signer = unlock_keystore(keystore_of(home, approver), passphrase=passphrase)
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
    decision_id: DecisionArgument,
    *,
    approver: ApproverOption,
    why: Annotated[str, typer.Option(help="Reason, at most 200 characters.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Decline a held decision: it will never be sent."""
    from cli.operator_client import call_orders
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    held_record(place, decision_id)
    answer = call_orders(place, "/declines", {"decision_id": decision_id, "approver": approver, "why": why})
    if json:
        print_json(answer)
    else:
        console().print(f"[bold]declined[/] {decision_id}")
