"""Assembles the orders server's process: the only one that holds the sealing key.

It opens the journal to append, the queue to send, and nothing that receives or trades.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from home.clock import clock_of
from home.latch import Latch
from home.paths import Home
from home.settings import Settings, anchors_of, read_settings
from home.tracing import open_tracer
from ledger.connect import open_sender
from ledger.journal import Journal
from ledger.live import LiveLedger
from ledger.opening import open_ledger
from ledger.queue import QueueSender
from policies.caller_limits import limits_of_callers
from policies.limits import HARD_LIMITS, tighten
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from signing.places import configured_seals, open_seal
from tool_servers.access import caller
from tool_servers.orders.counter import Counter
from tool_servers.orders.court import Court, Signatures
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.founding import found
from tool_servers.orders.lull import Lull
from tool_servers.orders.market_view import LakeView
from tool_servers.orders.outbox import Outbox
from tool_servers.orders.stops import StopDesk
from tool_servers.orders.trail import Trail
from tool_servers.orders.unwinding import Unwinder
from tool_servers.serving import Address, LaunchSecrets, listen, serve_http, url_of
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from policies.seal import DigestSigner
    from tool_servers.admission import Access
    from tool_servers.assembly import ToolServer

NAME: Final = "orders"
RELAY_EVERY_S: Final = 2.0
_log = logging.getLogger(__name__)


def open_desk(home: Home, *, signer: DigestSigner, sender: QueueSender | None = None) -> ProposalDesk:
    """Return the desk of a home: journal checked, account funded once, outbox emptied.

    Raises:
        Fault: `journal_corrupt`, `journal_unreadable`, `looser_limit`, `bad_config`,
            `queue_missing`, `queue_unavailable` — whatever makes it wrong to serve.
    """
    settings = read_settings(home.make())
    clock = clock_of(home, settings.mode)
    clock.now()
    limits, latch = tighten(HARD_LIMITS, settings.limits), Latch(home.halts)
    carrier = sender or open_sender(settings.queue, home.queue)
    journal = open_ledger(settings.ledger, home)
    roll = _roll(home, settings, quorum=limits.approver_quorum)
    ledger = LiveLedger(journal, is_warranted=roll.follow(), shelf_in=home.root)
    ledger.refresh()
    court = Court(
        settings=settings,
        limits=limits,
        clock=clock,
        view=LakeView(home),
        signatures=Signatures(signer, typed_digest, recover_address),
        roll=roll,
        tighter=limits_of_callers(limits, {name: item.limits for name, item in settings.callers.items()}),
        switch=latch,
    )
    _found(journal, ledger, court)
    outbox = Outbox(journal, ledger, carrier, clock, latch, trail=Trail(open_tracer(NAME)))
    stops = StopDesk(journal, ledger, clock, settings.mode, latch, roll)
    desk = ProposalDesk(journal, ledger, court, outbox, stops, Unwinder(journal, ledger, court))
    desk.relay()
    return desk


def _found(journal: Journal, ledger: LiveLedger, court: Court) -> None:
    """Found what is missing; a home that may not be served leaves no journal open."""
    try:
        found(journal, ledger, court)
    except Fault:
        journal.close()
        raise


def _roll(home: Home, settings: Settings, *, quorum: int) -> Roll:
    """Return whose keys count, founded on this process's own configuration."""
    trusted = configured_seals(home, settings.signing)
    return Roll(anchors_of(settings, seal_addresses=trusted, quorum=quorum), typed_digest, recover_address)


def demand_trusted(desk: ProposalDesk, signer: DigestSigner) -> None:
    """Return when whoever verifies with this home's configuration and journal trusts the signer.

    Raises:
        Fault: `key_missing` naming the address; nothing that it sealed would be acted on.
    """
    desk.court.roll.seals.demand(signer.address, now=desk.court.clock.now())


def note_in_lulls(desk: ProposalDesk) -> None:
    """Let what the queue took ride with the next sitting, or be noted when nobody has asked for a moment."""
    desk.sittings.later = Lull()


def set_aside_what_stays() -> None:
    """Let the cycle collector never again walk what this process was started with.

    Modules, classes and schemas stay until the end. Walking them all stops every thread for
    longer than a proposal may take, and finds nothing.
    """
    gc.collect()
    gc.freeze()


def build(desk: ProposalDesk, *, access: Access | None = None) -> ToolServer:
    """Return the server over a desk, with the approvers' routes."""
    from tool_servers.assembly import ServerCard, Terms, build_server
    from tool_servers.orders.amend_routes import add_amend_route
    from tool_servers.orders.letter_routes import add_letter_routes
    from tool_servers.orders.routes import add_routes
    from tool_servers.orders.tools import INSTRUCTIONS, order_tools

    server = build_server(
        ServerCard(NAME, INSTRUCTIONS),
        order_tools(Counter(desk, caller, desk.court.settings.callers)),
        terms=Terms(access=access, callers=desk.court.settings.callers),
    )
    add_routes(server, desk)
    add_letter_routes(server, desk)
    add_amend_route(server, desk)
    return server


def run(home: Home, *, http: Address | None, secrets: LaunchSecrets | None) -> int:
    """Serve over HTTP until the process is told to end; stdio is the bridge's part.

    Raises:
        Fault: `unauthenticated` without HTTP or secrets, `key_missing`, `wrong_passphrase`,
            `port_busy`, or what opening the desk raises.
    """
    from tool_servers.admission import access_of
    from tool_servers.assembly import configure_logging

    configure_logging()
    if http is None or secrets is None:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "the orders server is not served without caller tokens",
            fix="use `when-to-invest up`",
        )
    signer = open_seal(home, read_settings(home).signing, secret=secrets.passphrase)
    desk = open_desk(home, signer=signer)
    try:
        demand_trusted(desk, signer)
    except Fault:
        desk.journal.close()
        raise
    listener = listen(http)
    access = access_of(home, desk.court.settings, server=NAME, url=url_of(listener), callers=secrets.callers)
    server = build(desk, access=access)

    note_in_lulls(desk)
    set_aside_what_stays()
    serve_http(server, listener, background=lambda: _keep_relaying(desk))
    desk.sittings.note()
    return 0


async def _keep_relaying(desk: ProposalDesk) -> None:
    while True:
        await asyncio.sleep(RELAY_EVERY_S)
        try:
            await anyio.to_thread.run_sync(desk.relay)
        except Fault as fault:
            _log.warning("the outbox cannot be read: %s", fault.code.value)
