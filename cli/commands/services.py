"""`up`, `down`, `ps` and `serve`: the local services, each with its own credentials."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption, PassphraseFileOption, read_passphrase
from when_to_invest.errors import EXIT_OK, ErrorCode, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from cli.service_files import ServiceEntry
    from home.paths import Home
    from tool_servers.serving import LaunchSecrets


@unique
class Service(StrEnum):
    """The servers that `serve` can start."""

    MARKET = "market"
    ORDERS = "orders"
    CHAIN = "chain"


def register(app: typer.Typer) -> None:
    """Add this group's commands to `app`."""
    for command in (up, down, ps, serve):
        app.command()(command)


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return once the services are ready.")] = False,
    replay_from: Annotated[
        str | None, typer.Option("--replay-from", help="Move the replay clock to this date first.")
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Start the servers and the executor, each with only its own environment."""
    from cli.supervisor import detach as start_detached
    from cli.supervisor import ensure_seal_key, prepare, run
    from home.paths import home_at

    place = home_at(home)
    prepare(place, replay_from=replay_from)
    passphrase = _seal_passphrase(place, passphrase_file)
    ensure_seal_key(place, passphrase=passphrase)
    if detach:
        _show_services(start_detached(place, passphrase=passphrase), as_json=json)
        return EXIT_OK
    return run(place, passphrase=passphrase, announce=lambda entries: _show_services(entries, as_json=json))


def _seal_passphrase(home: Home, path: Path | None) -> str:
    from cli.supervisor import SEAL_KEY
    from home.settings import read_settings

    signing = read_settings(home).signing
    if signing.uses_aws:
        return ""  # KMS asks for credentials of the role, which are no business of ours
    if not signing.uses_keystore:
        return read_passphrase(path, prompt="PIN of the token: ")
    if path is not None or (home.keys / SEAL_KEY).exists():
        return read_passphrase(path, prompt="keystore passphrase: ")
    first = read_passphrase(None, prompt="new keystore passphrase: ")
    if first != read_passphrase(None, prompt="the same again: "):
        raise Fault(ErrorCode.BAD_ARGUMENT, "the two passphrases differ", fix="start again")
    return first


def _show_services(entries: tuple[ServiceEntry, ...], *, as_json: bool) -> None:
    from cli.output import console, print_json

    if as_json:
        print_json({"services": {entry.name: {"url": entry.url, "pid": entry.pid} for entry in entries}})
        return
    for entry in entries:
        console().print(f"[bold green]up[/] {entry.name:<9} pid {entry.pid:<7} {entry.url or ''}")


def down(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """End the services that `up` started, and nothing else."""
    from cli.output import console, print_json
    from cli.supervisor import down as end_services
    from home.paths import home_at

    ended = end_services(home_at(home))
    if json:
        print_json({"ended": list(ended)})
    else:
        console().print(f"ended {', '.join(ended)}" if ended else "no services were up")


def ps(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show the state of the services."""
    from cli.output import console, print_json
    from cli.service_states import states
    from home.paths import home_at

    found = states(home_at(home))
    if json:
        print_json(
            {
                "services": [
                    {
                        "name": item.entry.name,
                        "state": item.state,
                        "pid": item.entry.pid,
                        "url": item.entry.url,
                        "restarts": item.entry.restarts,
                    }
                    for item in found
                ]
            }
        )
        return
    for item in found:
        console().print(
            f"{item.entry.name:<9} {item.state:<14} pid {item.entry.pid:<7} "
            f"restarts {item.entry.restarts}  {item.entry.url or ''}"
        )
    if not found:
        console().print("no services are up; start them with `when-to-invest up`")


def serve(
    service: Annotated[Service, typer.Argument(help="Which server.")],
    *,
    http: Annotated[
        str | None, typer.Option("--http", help="HOST:PORT on loopback; without it MCP over stdio.")
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    home: HomeOption = None,
) -> int:
    """Run one server in the foreground; orders and chain over stdio bridge to `up`."""
    from home.paths import home_at

    place = home_at(home)
    if http is not None:
        return _serve_http(place, service, http, passphrase_file)
    if service is Service.MARKET:
        from tool_servers.market.main import run

        return run(place)
    from tool_servers.bridge import run as bridge

    return bridge(place, service.value)


def _serve_http(home: Home, service: Service, http: str, passphrase_file: Path | None) -> int:
    from cli.supervised import run_process
    from tool_servers.serving import parse_address

    address = parse_address(http)
    secrets = _own_secrets(home, service, passphrase_file)
    return run_process(service.value, home=home, port=address.port, secrets=secrets)


def _own_secrets(home: Home, service: Service, passphrase_file: Path | None) -> LaunchSecrets:
    """Return the secrets of a server that a person runs by hand, with the home's tokens."""
    from cli.service_files import home_tokens
    from cli.supervisor import ensure_seal_key, service_specs
    from home.settings import read_settings

    passphrase = _seal_passphrase(home, passphrase_file) if service is Service.ORDERS else ""
    if service is Service.ORDERS:
        ensure_seal_key(home, passphrase=passphrase)
    specs = service_specs(read_settings(home), passphrase=passphrase, tokens=home_tokens(home))
    return next(spec.secrets for spec in specs if spec.name == service.value)
