"""Commands to the local exchange over its own loopback socket: faults, clock, crowd, what happened."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.exchange.counter import Counter
from tests.exchange.faulty import CONTROL
from tests.exchange.mishaps import Kind, Mishap
from tests.exchange.terms import Ask, RefusedError, Side
from tests.exchange.venues import CROWD


def control_routes(counter: Counter) -> list[web.RouteDef]:
    """Return the routes under /control; whoever reaches the socket may use them."""

    async def add(request: web.Request) -> web.Response:
        asked = await request.json()
        for entry in asked if isinstance(asked, list) else [asked]:
            counter.mishaps.add(Mishap(**entry))
        return web.json_response({"planned": len(counter.mishaps.script)})

    async def roll(request: web.Request) -> web.Response:
        asked = await request.json()
        odds = {Kind(kind): float(odds) for kind, odds in asked["odds"].items()}
        counter.mishaps.roll(odds, seed=int(asked["seed"]), where=asked.get("where", "*"))
        return web.json_response({})

    async def skew(request: web.Request) -> web.Response:
        counter.mishaps.skew_ms = int((await request.json())["skew_ms"])
        return web.json_response({"now_ms": counter.clock_ms()})

    async def crowd(request: web.Request) -> web.Response:
        try:
            order = counter.exchange.place(_crowd_ask(await request.json()))
        except RefusedError as refused:
            return web.json_response({"refused": refused.why.value}, status=400)
        return web.json_response({"order": order.id, "filled": str(order.filled)})

    async def happened(request: web.Request) -> web.Response:
        return web.json_response([asdict(one) for one in counter.mishaps.happened])

    return [
        web.post(f"{CONTROL}/mishaps", add),
        web.post(f"{CONTROL}/odds", roll),
        web.post(f"{CONTROL}/clock", skew),
        web.post(f"{CONTROL}/crowd", crowd),
        web.get(f"{CONTROL}/happened", happened),
        web.get(f"{CONTROL}/truth", _truth(counter)),
    ]


def _truth(counter: Counter) -> Any:
    async def truth(request: web.Request) -> web.Response:
        """Tell what the exchange itself knows of the trader, whatever the dialect hides."""
        exchange, account = counter.exchange, counter.desk.account
        mine = [order for order in exchange.orders.values() if order.ask.account == account]
        orders = [
            {
                "id": o.id,
                "client_id": o.client_id,
                "state": o.state.value,
                "filled": str(o.filled),
                "cost": str(o.cost),
                "fees": str(o.fees),
                "open": str(o.open_quantity),
            }
            for o in mine
        ]
        holdings = {a: [str(h.free), str(h.held)] for a, h in exchange.vault.holdings(account).items()}
        return web.json_response({"orders": orders, "holdings": holdings})

    return truth


def _crowd_ask(asked: dict[str, str]) -> Ask:
    price = Decimal(asked["price"]) if asked.get("price") else None
    return Ask(CROWD, asked["symbol"], Side(asked["side"]), Decimal(asked["quantity"]), price)
