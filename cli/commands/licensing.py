"""`limits show|sign`: the limits in force, and people's leave to trade live under exactly these."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.approver_keys import KeyOption, approver_signer
from cli.options import HomeOption, JsonOption, PassphraseFileOption
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from cli.registry import Registry
    from policies.licence import Grounds, Licence
    from signing.signer import DigestSigner

DEFAULT_DAYS: Final = 7
VenueArgument = Annotated[str, typer.Argument(help="Name of a table [venues.NAME] in config.toml.")]
SignerOption = Annotated[str, typer.Option("--as", help="Name of the approver whose key signs.")]
RequesterOption = Annotated[
    str, typer.Option("--by", help="Who asks: an approver, a caller, operator. They cannot sign.")
]


def register(app: typer.Typer) -> None:
    """Add the group `limits` to the command line."""
    group = typer.Typer(name="limits", help="Limits in force, and leave to trade live under them.")
    for command in (show, sign):
        group.command()(command)
    app.add_typer(group)


def show(venue: VenueArgument, *, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show what live trading at a venue would be allowed on, and whether it is."""
    from cli.registry import open_registry
    from home.paths import home_at

    with open_registry(home_at(home), is_read_only=True) as registry:
        report = _report(registry, venue)
    _say(report, as_json=json)


def sign(
    venue: VenueArgument,
    *,
    approver: SignerOption,
    days: Annotated[int, typer.Option(min=1, max=31, help="How long a new licence lasts.")] = DEFAULT_DAYS,
    requester: RequesterOption = "",
    key: KeyOption = None,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> None:
    """Sign that these very limits may be traded live at a venue; the first one to sign names the end."""
    from cli import papers
    from cli.registry import open_registry
    from home.paths import home_at

    place = home_at(home)
    with open_registry(place, is_read_only=True) as registry:
        registry.roll.demand_vote(approver, registry.now())
        licence = _waiting(registry, venue) or _asked(registry, venue, days=days, requester=requester)
        signer = approver_signer(place, approver, key=key, passphrase_file=passphrase_file)
        signed = _signed(licence, approver=approver, signer=signer)
        _check_signatures(registry, signed)
        papers.keep(place.licence(venue), signed)
        report = _report(registry, venue)
    _say(report, as_json=json)


def _grounds(registry: Registry, venue: str) -> Grounds:
    from policies.licence import Grounds
    from policies.limits import HARD_LIMITS, tighten

    settings = registry.settings
    table = settings.venues.get(venue)
    if table is None or table.sandbox:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"config.toml has no live venue {venue!r}",
            fix=f"add a table [venues.{venue}] with sandbox = false",
        )
    limits = tighten(HARD_LIMITS, settings.limits)
    return Grounds(venue, table.exchange, settings.account, limits.digest())


def _asked(registry: Registry, venue: str, *, days: int, requester: str) -> Licence:
    """Return a new licence that nobody has signed; whole seconds, as people read them."""
    from cli.ballots import motion_for
    from policies.licence import LIVE_TRADING, Licence, licence_details

    until = registry.now().replace(microsecond=0) + timedelta(days=days)
    motion = motion_for(
        registry,
        LIVE_TRADING,
        summary=f"trade live at {venue}",
        details=licence_details(_grounds(registry, venue), until=until),
        requester=requester,
    )
    return Licence(motion=motion, until=until)


def _waiting(registry: Registry, venue: str) -> Licence | None:
    """Return the licence that waits for more signatures; none where it was about something else, or ended."""
    from executor.venues.licensed import read_licence
    from policies.licence import licence_details

    path = registry.home.licence(venue)
    if not path.exists():
        return None
    licence = read_licence(path)
    is_same = licence.motion.details == licence_details(_grounds(registry, venue), until=licence.until)
    is_open = licence.motion.serial == registry.roll.serial and registry.now() < licence.motion.expires_at
    return licence if is_same and is_open else None


def _signed(licence: Licence, *, approver: str, signer: DigestSigner) -> Licence:
    from signing.eip712 import typed_digest
    from when_to_invest.motions import Endorsement, motion_typed_data

    signature = signer.sign_digest(typed_digest(motion_typed_data(licence.motion)))
    given = Endorsement(approver=approver, address=signer.address, signature=signature)
    others = tuple(item for item in licence.endorsements if item.approver != approver)
    return licence.model_copy(update={"endorsements": (*others, given)})


def _check_signatures(registry: Registry, licence: Licence) -> None:
    from policies.quorum import endorsers

    endorsers(licence.motion, licence.endorsements, assembly=registry.roll.assembly(registry.now()))


def _report(registry: Registry, venue: str) -> dict[str, Any]:
    from executor.venues.licensed import read_licence
    from policies.licence import demand_licence
    from policies.limits import HARD_LIMITS, tighten

    grounds, roll, now = _grounds(registry, venue), registry.roll, registry.now()
    needed = tighten(HARD_LIMITS, registry.settings.limits).approver_quorum
    report: dict[str, Any] = {"venue": venue, "limits_hash": grounds.limits_hash, "needed": needed}
    try:
        licence = read_licence(registry.home.licence(venue))
        report |= {"until": licence.until.isoformat(), "signed": [e.approver for e in licence.endorsements]}
        demand_licence(licence, grounds, needed=needed, serial=roll.serial, assembly=roll.assembly(now))
    except Fault as fault:
        return {**report, "is_allowed": False, "why": fault.message}
    return {**report, "is_allowed": True, "why": ""}


def _say(report: dict[str, Any], *, as_json: bool) -> None:
    from cli.output import console, print_json

    if as_json:
        print_json(report)
        return
    for name, value in report.items():
        console().print(f"[bold]{name}[/]: {value}")
