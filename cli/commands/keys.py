"""`keys list|add|retire`: which keys may seal, and their rotation with overlapping windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.commands.electing import OPERATOR, RequesterOption, show_ballot
from cli.options import HomeOption, JsonOption, PassphraseFileOption, read_passphrase
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from cli.registry import Registry
    from home.paths import Home
    from when_to_invest.keyholders import SealKey

AddressArgument = Annotated[str, typer.Argument(help="Address of the sealing key: 0x and 40 hex digits.")]
_BARE: Final = 40


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    group = typer.Typer(name="keys", help="Sealing keys: which count, from when, and until when.")
    for command in (address, add, retire):
        group.command()(command)
    group.command("list")(list_keys)
    app.add_typer(group)


def list_keys(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """List the sealing keys with their windows; those of config.toml have no beginning."""
    from cli.output import console, print_json
    from cli.registry import open_registry
    from home.paths import home_at

    with open_registry(home_at(home), is_read_only=True) as registry:
        rows = _rows(registry)
        place = registry.settings.signing.seal
    if json:
        print_json({"seal": place, "keys": rows})
        return
    console().print(f"seals with {place}")
    for row in rows:
        window = f"{row['not_before'] or 'founding'} to {row['not_after'] or 'open'}"
        console().print(f"{row['address']} {'counts' if row['counts'] else 'does not count'} ({window})")


def address(
    place: Annotated[str, typer.Argument(help="kms:ALIAS, or pkcs11:token=T;object=K?module-path=/L.")],
    *,
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> None:
    """Show the address of a key in KMS or in a PKCS#11 token, after checking that it can seal."""
    from cli.approver_keys import open_elsewhere_key
    from cli.output import console, print_json
    from home.paths import home_at

    found = open_elsewhere_key(home_at(home), place, passphrase_file=passphrase_file).address
    if json:
        print_json({"place": place, "address": found})
    else:
        console().print(found)


def _rows(registry: Registry) -> list[dict[str, Any]]:
    from when_to_invest.canonical import utc_text

    now, seals = registry.now(), registry.roll.seals
    counting = seals.trusted(now, sealed_at=now)
    begins = {key.address.lower(): utc_text(key.not_before) for key in seals.added()}
    rows = []
    for address in sorted(seals.anchors | set(begins)):
        end = seals.end_of(address)
        rows.append(
            {
                "address": address,
                "counts": address in counting,
                "not_before": None if address in seals.anchors else begins[address],
                "not_after": None if end is None else utc_text(end),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Window:
    begins: datetime | None
    ends: datetime | None


def add(
    address: Annotated[str | None, typer.Argument(help="Address of a key elsewhere (KMS, HSM).")] = None,
    *,
    keystore: Annotated[str | None, typer.Option("--keystore", help="Make keys/NAME.json instead.")] = None,
    begin: Annotated[str | None, typer.Option("--not-before", help="Now without it.")] = None,
    end: Annotated[str | None, typer.Option("--not-after", help="Open without it.")] = None,
    requester: RequesterOption = "",
    home: HomeOption = None,
    passphrase_file: PassphraseFileOption = None,
    json: JsonOption = False,
) -> None:
    """Ask to trust another sealing key; a quorum signs, then `[signing] seal` may name it."""
    from cli.ballots import enrolment_end
    from cli.registry import open_registry
    from home.paths import home_at

    place, window = home_at(home), _Window(enrolment_end(begin), enrolment_end(end))
    if (address is None) is (keystore is None):
        raise Fault(
            ErrorCode.BAD_ARGUMENT, "name one key", fix="give an address, or --keystore NAME to make one"
        )
    with open_registry(place, is_read_only=True) as registry:
        if not registry.roll.members:
            raise Fault(
                ErrorCode.BAD_APPROVAL,
                "this home has no approvers who could trust another key",
                fix="name approvers in config.toml, or the key in [signing] trusted_seals of every process",
            )
    own = address or _make_key(place, keystore or "", passphrase_file)
    with open_registry(place, is_read_only=True) as registry:
        change = _ask(registry, _seal_key(registry, own, window), requester=requester)
    show_ballot(place, change, as_json=json, also={"address": own})


def _make_key(home: Home, name: str, passphrase_file: Path | None) -> str:
    from signing.keystore import create_keystore

    passphrase = read_passphrase(passphrase_file, prompt=f"passphrase for {name} (as for `up`): ")
    return create_keystore(home.keys / f"{name}.json", passphrase=passphrase, name=name)


def _seal_key(registry: Registry, address: str, window: _Window) -> SealKey:
    from pydantic import ValidationError

    from when_to_invest.keyholders import SealKey

    begins = window.begins or registry.now()
    if window.ends is not None and window.ends <= begins:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, "the window ends before it begins", fix="give a later --not-after"
        )
    try:
        return SealKey(address=address, not_before=begins, not_after=window.ends)
    except ValidationError as error:
        raise _no_address() from error


def _ask(registry: Registry, key: SealKey, *, requester: str) -> Any:
    from cli.ballots import keep, motion_for
    from when_to_invest.keyholders import ADD_SEAL_KEY, SealKeyAdded, seal_key_details

    motion = motion_for(
        registry,
        ADD_SEAL_KEY,
        summary=f"trust the seal of {key.address}",
        details=seal_key_details(key),
        requester=requester,
    )
    change = SealKeyAdded(at=registry.now(), mode=motion.mode, key=key, motion=motion, endorsements=())
    keep(registry.home, change)
    return change


def retire(
    address: AddressArgument,
    *,
    end: Annotated[str | None, typer.Option("--at", help="Last instant that counts; now without it.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """End a sealing key's window; what it sealed counts no longer after that."""
    from cli.ballots import enrolment_end
    from cli.output import console, print_json
    from cli.registry import open_registry
    from home.paths import home_at
    from when_to_invest.canonical import utc_text

    with open_registry(home_at(home)) as registry:
        ends = enrolment_end(end) or registry.now()
        _record_end(registry, address, ends)
        rows = _rows(registry)
    if json:
        print_json({"address": address, "not_after": utc_text(ends), "keys": rows})
    else:
        console().print(f"[bold]retired[/] {address} after {utc_text(ends)}")


def _record_end(registry: Registry, address: str, ends: datetime) -> None:
    """Journal the end of a key's window, unless nothing would be left that seals.

    Raises:
        Fault: `bad_argument` for an unknown key, or the last one that counts.
    """
    from when_to_invest.keyholders import SealKeyRetired

    def decide() -> tuple[SealKeyRetired, ...]:
        seals = registry.roll.seals
        if not seals.knows(address):
            raise _no_address()
        left = seals.trusted(ends, sealed_at=ends) - {address.lower()}
        if not left:
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                "no other key would count then, and everything would be refused",
                fix="add the next key first with `when-to-invest keys add`",
            )
        now, mode = registry.now(), registry.settings.mode
        return (SealKeyRetired(at=now, mode=mode, address=address, not_after=ends, by=OPERATOR),)

    registry.record(decide)


def _no_address() -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        "that is no sealing key's address known here",
        fix=f"give 0x and {_BARE} hex digits, as `when-to-invest keys list` shows them",
    )
