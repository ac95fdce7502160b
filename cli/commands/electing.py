"""`approvals enrol|remove|export|import`: who has a vote, and signatures that are made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.options import HomeOption, JsonOption, PassphraseFileOption, read_passphrase
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from cli.registry import Registry
    from home.paths import Home
    from when_to_invest.keyholders import Approver, KeyholderChange

OPERATOR: Final = "operator"
_DECISION: Final = "d-"
SubjectArgument = Annotated[
    str,
    typer.Argument(help="A held decision (d-…), or a change: enrol-NAME, remove-NAME, seal-…"),
]
NameArgument = Annotated[str, typer.Argument(help="Lower-case name of the approver.")]
SignerOption = Annotated[str, typer.Option("--as", help="Name of the approver whose key signs.")]
RequesterOption = Annotated[
    str, typer.Option("--by", help="Who asks: an approver, a caller, operator. They cannot sign.")
]


def register(group: typer.Typer) -> None:
    """Add these commands to the group `approvals`."""
    for command in (enrol, remove, export):
        group.command()(command)
    group.command("import")(import_signature)


def is_ballot(subject: str) -> bool:
    """Return whether a subject is a change to the roll, and not a held decision."""
    return not subject.startswith(_DECISION)


def enrol(
    name: NameArgument,
    *,
    address: Annotated[
        str | None, typer.Option("--address", help="Of a key elsewhere; without it one is made here.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="When the vote ends.")] = None,
    requester: RequesterOption = "",
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for somebody's vote; the first ones come from config.toml, later ones from a quorum."""
    from cli.output import console, print_json
    from home.paths import home_at

    place = home_at(home)
    own = address or _make_key(place, name, passphrase_file)
    change = _enrolment(place, name, own, until=until, requester=requester)
    line = f'{name} = "{own}"'
    if change is not None:
        show_ballot(place, change, as_json=json, also={"approver": name, "address": own})
    elif json:
        print_json({"approver": name, "address": own, "config_line": line})
    else:
        console().print(
            f"[bold green]enrolled[/] {name}\nAdd this below [bold]\\[approvers][/] in config.toml and "
            f"restart the services:\n  {line}"
        )


def _make_key(home: Home, name: str, passphrase_file: Path | None) -> str:
    from cli.approver_keys import keystore_of
    from signing.keystore import create_keystore

    path = keystore_of(home.make(), name)
    passphrase = read_passphrase(passphrase_file, prompt=f"new passphrase for {name}: ")
    return create_keystore(path, passphrase=passphrase, name=name)


def _enrolment(
    home: Home, name: str, address: str, *, until: str | None, requester: str
) -> KeyholderChange | None:
    """Return the ballot about an enrolment; none while the home's first approvers are not founded."""
    from cli.ballots import enrolment_end, keep
    from cli.registry import open_registry
    from home.settings import read_settings
    from ledger.opening import has_ledger

    if not has_ledger(read_settings(home).ledger, home):
        return None
    with open_registry(home, is_read_only=True) as registry:
        if not registry.roll.is_founded:
            return None
        approver = _approver(name, address, enrolment_end(until))
        change = _asked_enrolment(registry, approver, requester=requester)
    keep(home, change)
    return change


def _approver(name: str, address: str, valid_until: Any) -> Approver:
    from pydantic import ValidationError

    from when_to_invest.keyholders import Approver

    try:
        return Approver(name=name, address=address, valid_until=valid_until)
    except ValidationError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "a vote needs a lower-case name and an address of 0x and 40 hex digits",
            fix="correct the name or --address",
        ) from error


def _asked_enrolment(registry: Registry, approver: Approver, *, requester: str) -> KeyholderChange:
    from cli.ballots import motion_for
    from when_to_invest.keyholders import ENROL, ApproverEnrolled, enrol_details

    motion = motion_for(
        registry,
        ENROL,
        summary=f"give {approver.name} a vote",
        details=enrol_details(approver),
        requester=requester,
    )
    return ApproverEnrolled(
        at=registry.now(), mode=motion.mode, approver=approver, motion=motion, endorsements=()
    )


def remove(
    name: NameArgument,
    *,
    requester: RequesterOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Ask to take somebody's vote away; a quorum signs."""
    from cli.ballots import keep, motion_for
    from cli.registry import open_registry
    from home.paths import home_at
    from when_to_invest.keyholders import REMOVE, ApproverRemoved, remove_details

    place = home_at(home)
    with open_registry(place, is_read_only=True) as registry:
        registry.roll.demand_member(name)
        address = registry.roll.members[name].address
        motion = motion_for(
            registry,
            REMOVE,
            summary=f"take the vote of {name} away",
            details=remove_details(name, address),
            requester=requester,
        )
        change = ApproverRemoved(
            at=registry.now(), mode=motion.mode, name=name, address=address, motion=motion, endorsements=()
        )
    keep(place, change)
    show_ballot(place, change, as_json=json)


def show_ballot(
    home: Home, change: KeyholderChange, *, as_json: bool, also: dict[str, Any] | None = None
) -> None:
    """Show what waits for signatures, and with JSON the exact document."""
    from cli.ballots import subject_of
    from cli.output import console, print_json
    from cli.registry import open_registry
    from when_to_invest.domains import wallet_json
    from when_to_invest.motions import motion_typed_data

    with open_registry(home, is_read_only=True) as registry:
        needed = registry.roll.needed
    names = [item.approver for item in change.endorsements]
    if as_json:
        document = wallet_json(motion_typed_data(change.motion))
        told = {"subject": subject_of(change), "signed_by": names, "needed": needed, "typed_data": document}
        print_json({**(also or {}), **told})
        return
    console().print(
        f"[bold]{subject_of(change)}[/]: {change.motion.summary} ({len(names)} of {needed} signed)\n"
        f"sign with `when-to-invest approvals sign {subject_of(change)} --as NAME`",
        soft_wrap=True,
    )


def cast_ballot(home: Home, change: KeyholderChange, *, as_json: bool) -> int:
    """Hand in a ballot as signed so far; say whether it took effect."""
    from cli.ballots import cast, keep, subject_of
    from cli.output import console, print_json
    from cli.registry import open_registry

    with open_registry(home) as registry:
        needed = registry.roll.needed
        is_done = cast(registry, change)
    if not is_done:
        keep(home, change)
    names = [item.approver for item in change.endorsements]
    if as_json:
        print_json({"subject": subject_of(change), "done": is_done, "signed_by": names, "needed": needed})
    else:
        word = "[bold green]done[/]" if is_done else "waiting"
        console().print(f"{word} {subject_of(change)}: {len(names)} of {needed} signed")
    return EXIT_OK


def export(
    subject: SubjectArgument,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; printed without it.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,  # noqa: ARG001 - the document is JSON either way
) -> None:
    """Write the exact document for a wallet elsewhere (`eth_signTypedData_v4`)."""
    from cli.ballots import load
    from cli.commands.approving import document_of, held_record
    from cli.output import print_json
    from cli.service_files import write_private
    from home.paths import home_at
    from when_to_invest.domains import wallet_json
    from when_to_invest.motions import motion_typed_data

    place = home_at(home)
    if is_ballot(subject):
        typed = motion_typed_data(load(place, subject).motion)
    else:
        typed = document_of(place, held_record(place, subject)).typed_data
    if out is None:
        print_json(wallet_json(typed))
        return
    import json as codec

    write_private(out, codec.dumps(wallet_json(typed), indent=2) + "\n")


def import_signature(
    subject: SubjectArgument,
    file: Annotated[Path, typer.Argument(help="The exported document that was signed.")],
    *,
    approver: SignerOption,
    signature: Annotated[str | None, typer.Option("--signature", help="0x… as the wallet said it.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Hand in a signature that was made elsewhere over the exported document."""
    from cli.commands.approving import hand_in, held_record
    from cli.imports import approval_from, ballot_from
    from cli.wallets import read_returned
    from home.paths import home_at

    place = home_at(home)
    returned = read_returned(file, signature=signature)
    if is_ballot(subject):
        return cast_ballot(place, ballot_from(place, subject, returned, approver=approver), as_json=json)
    approval = approval_from(place, held_record(place, subject), returned, approver=approver)
    answer = hand_in(place, approval, as_json=json)
    return EXIT_REFUSED if answer.get("verdict") == "refused" else EXIT_OK
