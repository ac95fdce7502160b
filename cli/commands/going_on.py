"""`resume` and `settle`: people go on together, each with their own signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.approver_keys import KeyOption, approver_signer
from cli.commands.halting import ScopeOption
from cli.options import HomeOption, JsonOption, PassphraseFileOption
from when_to_invest.errors import EXIT_OK, EXIT_REFUSED, ErrorCode, Fault

if TYPE_CHECKING:
    from cli.petitions import Petition
    from cli.registry import Registry
    from home.paths import Home
    from tool_servers.orders.stops import StopDesk
    from when_to_invest.motions import Motion

RequesterOption = Annotated[
    str, typer.Option("--as", help="Who asks: an approver, a caller, operator. They cannot sign.")
]
SubjectArgument = Annotated[str, typer.Argument(help="The scope to resume, or the decision to settle.")]
ApproverOption = Annotated[str, typer.Option("--as", help="Name of the approver whose key signs.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    app.command()(resume)
    app.command()(settle)
    group = typer.Typer(name="remedies", help="Sign what `resume` and `settle` ask for.")
    for command in (show, sign):
        group.command()(command)
    group.command("import")(import_signature)
    app.add_typer(group)


def resume(
    *,
    scope: ScopeOption = "system",
    requester: RequesterOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Ask to lift every halt of a scope; two approvers then sign (`remedies sign SCOPE --as NAME`)."""
    from cli.registry import open_registry
    from home.paths import home_at
    from tool_servers.orders.stops import SignedResumption
    from when_to_invest.remedies import RESUME, halts_in_words, resume_details

    place = home_at(home)
    with open_registry(place) as registry:
        stop_desk(registry).note()
        stands = registry.ledger.book.standing
        halts = stands.standing(scope)
        if not halts:
            raise Fault(ErrorCode.BAD_ARGUMENT, f"{scope} is not halted", fix="see `when-to-invest status`")
        details = resume_details(scope=scope, halts_hash=stands.hash_of(scope), lifts=halts_in_words(halts))
        asked = _Asked(RESUME, f"resume trading: {scope}", details, stands.serial)
        motion = _motion(registry, asked, requester=requester)
    return _ask(place, SignedResumption(scope=scope, motion=motion, endorsements=()), as_json=json)


def settle(
    decision_id: Annotated[str, typer.Argument(help="Id of the decision (d-…).")],
    *,
    evidence: Annotated[str, typer.Option("--evidence", help="Where you saw it, 10 to 200 characters.")],
    filled: Annotated[str, typer.Option("--filled", help="QUANTITY@PRICE executed, not known yet.")] = "",
    absent: Annotated[bool, typer.Option("--absent", help="Nothing more was executed.")] = False,
    requester: RequesterOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Ask to end an order as you found it at the venue; two approvers then sign."""
    from cli.petitions import parse_finding
    from cli.registry import open_registry
    from home.paths import home_at
    from tool_servers.orders.minutes import record_of
    from tool_servers.orders.stops import SignedSettlement
    from when_to_invest.remedies import SETTLE, settle_details, settleable

    place = home_at(home)
    found = parse_finding(filled, is_absent=absent, evidence=evidence)
    with open_registry(place) as registry:
        record = record_of(registry.ledger, decision_id)
        details = settle_details(settleable(record).sent, account=record.intent.account, found=found)
        asked = _Asked(SETTLE, f"settle {decision_id}", details, len(record.events))
        motion = _motion(registry, asked, requester=requester)
    petition = SignedSettlement(
        decision_id=decision_id,
        quantity=found.quantity,
        price_usd=found.price_usd,
        evidence=found.evidence,
        motion=motion,
        endorsements=(),
    )
    return _ask(place, petition, as_json=json)


def show(subject: SubjectArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show what is asked for; with --json the exact document, for a hardware wallet."""
    from cli.petitions import load
    from home.paths import home_at

    _show(load(home_at(home), subject), as_json=json)


def sign(
    subject: SubjectArgument,
    *,
    approver: ApproverOption,
    key: KeyOption = None,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> int:
    """Sign with your own key; once enough people did, it is carried out."""
    from cli.petitions import load, signed_by
    from home.paths import home_at

    place = home_at(home)
    petition = load(place, subject)
    if not json:
        _show(petition, as_json=False)
    signer = approver_signer(place, approver, key=key, passphrase_file=passphrase_file)
    return _carry_on(place, signed_by(petition, approver=approver, signer=signer), as_json=json)


def import_signature(
    subject: SubjectArgument,
    *,
    approver: ApproverOption,
    address: Annotated[str, typer.Option(help="The key's address, 0x and 40 hex digits.")],
    signature: Annotated[str, typer.Option(help="0x and 130 lower-case hex digits.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Bring a signature that a hardware wallet made over the document of `remedies show --json`."""
    from cli.petitions import load, with_signature
    from home.paths import home_at

    place = home_at(home)
    petition = with_signature(load(place, subject), approver=approver, address=address, signature=signature)
    return _carry_on(place, petition, as_json=json)


def _ask(home: Home, petition: Petition, *, as_json: bool) -> int:
    from cli.petitions import keep

    keep(home, petition)
    _show(petition, as_json=as_json)
    return EXIT_OK


def _show(petition: Petition, *, as_json: bool) -> None:
    from cli.output import console, print_json
    from cli.petitions import subject_of
    from when_to_invest.domains import wallet_json
    from when_to_invest.motions import motion_typed_data

    signed = [given.approver for given in petition.endorsements]
    if as_json:
        typed = wallet_json(motion_typed_data(petition.motion))
        print_json({"subject": subject_of(petition), "signed_by": signed, "typed_data": typed})
        return
    out = console()
    out.print(f"[bold]{petition.motion.summary}[/] asked by {petition.motion.requester}")
    for label, text in petition.motion.details:
        out.print(f"  {label:<10} {text}", markup=False)
    out.print(f"signed by {', '.join(signed) or 'nobody yet'}; sign with:", style="dim")
    out.print(f"  when-to-invest remedies sign {subject_of(petition)} --as NAME", markup=False)


def _carry_on(home: Home, petition: Petition, *, as_json: bool) -> int:
    """Keep the new signature, and carry the petition out once the roll's quorum signed it."""
    from cli.output import console, print_json
    from cli.petitions import drop, keep, subject_of
    from cli.registry import open_registry
    from policies.quorum import endorsers

    signed = [given.approver for given in petition.endorsements]
    with open_registry(home) as registry:
        assembly = registry.roll.assembly(registry.now())
        endorsers(petition.motion, petition.endorsements, assembly=assembly)
        keep(home, petition)
        missing = registry.roll.anchors.quorum - len(signed)
        done = None if missing > 0 else stop_desk(registry).take(petition)
    if done is None:
        if as_json:
            print_json({"subject": subject_of(petition), "signed_by": signed, "missing": missing})
        else:
            console().print(f"signed by {', '.join(signed)}; {missing} signature(s) missing")
        return EXIT_REFUSED
    drop(home, petition)
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        console().print(f"[bold green]{done.kind.replace('_', ' ')}[/] {done.scope}: {done.state}")
    return EXIT_OK


@dataclass(frozen=True, slots=True)
class _Asked:
    purpose: str
    summary: str
    details: tuple[tuple[str, str], ...]
    serial: int


def _motion(registry: Registry, asked: _Asked, *, requester: str) -> Motion:
    from cli.papers import VALID_FOR
    from cli.requesting import requester_of
    from when_to_invest.motions import Motion

    asker = requester_of(registry, requester)
    return Motion(
        purpose=asked.purpose,
        summary=asked.summary,
        details=asked.details,
        mode=registry.settings.mode,
        requester=asker.name,
        known_by=asker.known_by,
        serial=asked.serial,
        expires_at=registry.now() + VALID_FOR,
        domain=registry.roll.domain,
    )


def stop_desk(registry: Registry) -> StopDesk:
    """Return what writes remedies down in an open home."""
    from home.latch import Latch
    from tool_servers.orders.stops import StopDesk

    return StopDesk(
        registry.journal,
        registry.ledger,
        registry.clock,
        registry.settings.mode,
        Latch(registry.home.halts),
        registry.roll,
    )
