"""Coinbase Advanced Trade over HTTP, with older keys or cloud keys.

A client order id that is known gives back its order and places nothing. Orders cannot be
asked for by client id, only listed. Refusals of orders come with status 200.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.exchange import coinbase_words as words
from tests.exchange.candles import DAY_MS, MINUTE_MS, candles
from tests.exchange.coinbase_keys import Sent, UnsignedError, demand_signed
from tests.exchange.counter import Counter, amount
from tests.exchange.pages import page_of
from tests.exchange.terms import Ask, Force, Order, RefusedError, Side, Why, instant

API = "/api/v3/brokerage"
GRANULARITIES_MS = {
    "ONE_MINUTE": MINUTE_MS,
    "FIVE_MINUTE": 5 * MINUTE_MS,
    "FIFTEEN_MINUTE": 15 * MINUTE_MS,
    "ONE_HOUR": 60 * MINUTE_MS,
    "ONE_DAY": DAY_MS,
}
FORCES = {
    "limit_limit_gtc": Force.GOOD_TILL_CANCELLED,
    "sor_limit_ioc": Force.IMMEDIATE_OR_CANCEL,
    "limit_limit_fok": Force.FILL_OR_KILL,
}
NO_MORE = {"has_next": False, "cursor": ""}
REFUSALS = {
    Why.UNKNOWN_SYMBOL: "INVALID_PRODUCT_ID",
    Why.BAD_PRICE: "INVALID_PRICE_PRECISION",
    Why.BAD_QUANTITY: "INVALID_SIZE_PRECISION",
    Why.TOO_SMALL: "INVALID_ARGUMENT",
    Why.NO_FUNDS: "INSUFFICIENT_FUND",
    Why.WOULD_TAKE: "INVALID_LIMIT_PRICE_POST_ONLY",
    Why.NO_LIQUIDITY: "INSUFFICIENT_FUNDS_FOR_FUTURES",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what stands in its address, after the question mark, and in its body."""

    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]


class CoinbaseError(Exception):
    """A refusal in Coinbase's words."""

    def __init__(self, payload: words.Payload, *, status: int) -> None:
        super().__init__(str(payload))
        self.payload, self.status = payload, status


class CoinbaseCalls:
    """What may be asked."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._exchange, self._desk = counter.exchange, counter.desk
        self._symbols = {words.product(symbol): symbol for symbol in counter.exchange.listings}

    def now_ms(self) -> int:
        return self._counter.clock_ms()

    def time(self, asked: Asked) -> object:
        now = self.now_ms()
        return {"iso": instant(now), "epochSeconds": str(now // 1000), "epochMillis": str(now)}

    def old_time(self, asked: Asked) -> object:
        now = self.now_ms()
        return {"data": {"iso": instant(now), "epoch": now // 1000}}

    def currencies(self, asked: Asked) -> object:
        return {"data": [{"id": "USD", "name": "US Dollar", "min_size": "0.01"}]}

    def crypto_currencies(self, asked: Asked) -> object:
        assets = sorted({listing.base for listing in self._exchange.listings.values()})
        return {"data": [words.crypto_currency(asset) for asset in assets]}

    def rates(self, asked: Asked) -> object:
        return {"data": {"currency": "USD", "rates": {"USD": "1"}}}

    def products(self, asked: Asked) -> object:
        if asked.query.get("product_type", "SPOT") != "SPOT":
            return {"products": [], "num_products": 0}
        listings = self._exchange.listings.values()
        told = [words.listing(self._exchange, listing, now_ms=self.now_ms()) for listing in listings]
        return {"products": told, "num_products": len(told), "pagination": None}

    def transaction_summary(self, asked: Asked) -> object:
        fees = self._exchange.fees
        rates = {"taker_fee_rate": str(fees.taker_ratio), "maker_fee_rate": str(fees.maker_ratio)}
        return {"fee_tier": {"pricing_tier": "Local", **rates}, "total_volume": 0, "total_fees": 0}

    def book(self, asked: Asked) -> object:
        symbol = self.symbol(asked.query.get("product_id", ""))
        depth = self._exchange.depth(symbol, int(asked.query.get("limit", "500")))
        return words.book(symbol, depth, now_ms=self.now_ms())

    def ticker(self, asked: Asked) -> object:
        symbol = self.symbol(asked.path["product"])
        recent = self._exchange.trades[symbol][-int(asked.query.get("limit", "100")) :]
        best = self._exchange.depth(symbol, 1)
        bid, ask = (words.plain(side[0][0]) if side else "" for side in (best.bids, best.asks))
        told = [words.public_trade(trade) for trade in reversed(recent)]
        return {"trades": told, "best_bid": bid, "best_ask": ask}

    def candles(self, asked: Asked) -> object:
        interval_ms = GRANULARITIES_MS[asked.query.get("granularity", "ONE_MINUTE")]
        found = candles(self._exchange.trades[self.symbol(asked.path["product"])], interval_ms=interval_ms)
        return {"candles": [words.candle(candle) for candle in reversed(found)]}

    def accounts(self, asked: Asked) -> object:
        holdings = self._exchange.vault.holdings(self._desk.account).items()
        told = [
            words.account(asset, number, free=h.free, held=h.held)
            for number, (asset, h) in enumerate(holdings, start=1)
        ]
        return {"accounts": told, "size": len(told), **NO_MORE}

    def wallets(self, asked: Asked) -> object:
        """Answer the older endpoint, which tells totals and nothing of holds."""
        holdings = self._exchange.vault.holdings(self._desk.account).items()
        told = [words.wallet(asset, total=h.free + h.held) for asset, h in holdings]
        return {"pagination": {"next_uri": None}, "data": told}

    def create(self, asked: Asked) -> object:
        body = asked.body
        try:
            order = self._known(body["client_order_id"]) or self._desk.place(self._ask(body))
        except RefusedError as refused:
            return _refused_order(refused.why, body)
        told = {
            "order_id": words.order_uuid(order.id),
            "product_id": body["product_id"],
            "side": body["side"],
            "client_order_id": order.client_id,
        }
        return {"success": True, "success_response": told, "order_configuration": body["order_configuration"]}

    def cancel(self, asked: Asked) -> object:
        return {"results": [self._cancelled(text) for text in asked.body["order_ids"]]}

    def order(self, asked: Asked) -> object:
        try:
            order = self._desk.find(order_id=words.order_number(asked.path["order"]))
        except (RefusedError, ValueError):
            text = "order with this orderID was not found"
            payload: words.Payload = {"error": "NOT_FOUND", "error_details": text, "message": text}
            raise CoinbaseError(payload, status=404) from None
        return {"order": self._worded(order)}

    def orders(self, asked: Asked) -> object:
        symbol = self.symbol(asked.query["product_id"]) if "product_id" in asked.query else None
        both = self._desk.open_orders(symbol) + self._desk.done_orders(symbol)
        told = [self._worded(order) for order in sorted(both, key=lambda order: -order.id)]
        wanted = asked.query.get("order_status")
        chosen = [order for order in told if wanted in (None, order["status"])]
        page, cursor = page_of(chosen, asked.query)
        return {"orders": page, "sequence": "0", "has_next": bool(cursor), "cursor": cursor}

    def fills(self, asked: Asked) -> object:
        symbol = self.symbol(asked.query["product_id"]) if "product_id" in asked.query else None
        wanted = asked.query.get("order_ids", asked.query.get("order_id"))
        number = None if wanted is None else words.order_number(wanted)
        fills = [words.fill(fill) for fill in reversed(self._desk.fills(symbol, order_id=number))]
        page, cursor = page_of(fills, asked.query)
        return {"fills": page, "cursor": cursor}

    def symbol(self, product: str) -> str:
        try:
            return self._symbols[product]
        except KeyError:
            payload: words.Payload = {"error": "INVALID_ARGUMENT", "message": "valid product_id is required"}
            raise CoinbaseError(payload, status=400) from None

    def judge(self, sent: Sent, headers: Mapping[str, str]) -> None:
        """Refuse a request with a wrong key or signature, or from another time."""
        try:
            demand_signed(sent, headers, self._counter.credentials, now_ms=self.now_ms())
        except UnsignedError as error:
            told = {"id": "authentication_error", "message": str(error)}
            raise CoinbaseError({"errors": [told]}, status=401) from None

    def _known(self, client_id: str) -> Order | None:
        try:
            return self._exchange.order(self._desk.account, client_id=client_id)
        except RefusedError:
            return None

    def _cancelled(self, text: str) -> words.Payload:
        told: words.Payload = {
            "success": True,
            "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON",
            "order_id": text,
        }
        try:
            self._desk.cancel(order_id=words.order_number(text))
        except (RefusedError, ValueError):
            told |= {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER"}
        return told

    def _worded(self, order: Order) -> words.Payload:
        return words.order(order, self._desk.fills(order_id=order.id))

    def _ask(self, body: dict[str, Any]) -> Ask:
        symbol, side = self.symbol(body["product_id"]), Side[body["side"]]
        ((kind, sizes),) = body["order_configuration"].items()
        is_market = kind == "market_market_ioc"
        force = Force.POST_ONLY if sizes.get("post_only") else FORCES.get(kind, Force.IMMEDIATE_OR_CANCEL)
        return Ask(
            self._desk.account,
            symbol,
            side,
            self._quantity(symbol, side, sizes),
            None if is_market else amount(sizes.get("limit_price"), otherwise=Why.BAD_PRICE),
            force,
            body["client_order_id"],
        )

    def _quantity(self, symbol: str, side: Side, sizes: dict[str, Any]) -> Decimal:
        if "quote_size" in sizes:
            cost = amount(sizes["quote_size"], otherwise=Why.BAD_QUANTITY)
            cost /= 1 + self._exchange.fees.buyer_reserve_ratio
            return self._exchange.quantity_for(symbol, side, cost)
        return amount(sizes.get("base_size"), otherwise=Why.BAD_QUANTITY)


def _refused_order(why: Why, body: dict[str, Any]) -> words.Payload:
    reason = REFUSALS.get(why, "UNKNOWN_FAILURE_REASON")
    told = {
        "error": reason,
        "message": why.value.replace("_", " "),
        "error_details": "",
        "preview_failure_reason": f"PREVIEW_{reason}",
    }
    return {"success": False, "error_response": told, "order_configuration": body["order_configuration"]}


def _sent(request: web.Request, body: str) -> Sent:
    """Return what is signed; the older API signs what follows the question mark too."""
    path = request.path_qs if request.path.startswith("/v2/") else request.path
    return Sent(request.method, path, body, request.host + request.path)


Call = Callable[[CoinbaseCalls, Asked], object]
OPEN: dict[tuple[str, str], Call] = {
    ("GET", "/v2/time"): CoinbaseCalls.old_time,
    ("GET", "/v2/currencies"): CoinbaseCalls.currencies,
    ("GET", "/v2/currencies/crypto"): CoinbaseCalls.crypto_currencies,
    ("GET", "/v2/exchange-rates"): CoinbaseCalls.rates,
    ("GET", f"{API}/time"): CoinbaseCalls.time,
    ("GET", f"{API}/market/products"): CoinbaseCalls.products,
    ("GET", f"{API}/market/product_book"): CoinbaseCalls.book,
    ("GET", f"{API}/market/products/{{product}}/ticker"): CoinbaseCalls.ticker,
    ("GET", f"{API}/market/products/{{product}}/candles"): CoinbaseCalls.candles,
}
SIGNED: dict[tuple[str, str], Call] = {
    ("GET", "/v2/accounts"): CoinbaseCalls.wallets,
    ("GET", f"{API}/transaction_summary"): CoinbaseCalls.transaction_summary,
    ("GET", f"{API}/accounts"): CoinbaseCalls.accounts,
    ("POST", f"{API}/orders"): CoinbaseCalls.create,
    ("POST", f"{API}/orders/batch_cancel"): CoinbaseCalls.cancel,
    ("GET", f"{API}/orders/historical/batch"): CoinbaseCalls.orders,
    ("GET", f"{API}/orders/historical/fills"): CoinbaseCalls.fills,
    ("GET", f"{API}/orders/historical/{{order}}"): CoinbaseCalls.order,
}


def coinbase_routes(counter: Counter) -> list[web.RouteDef]:
    """Return the REST routes of Coinbase Advanced Trade."""
    calls = CoinbaseCalls(counter)

    def route(method: str, path: str, call: Call, *, is_signed: bool) -> web.RouteDef:
        async def handle(request: web.Request) -> web.Response:
            text = await request.text()
            try:
                if is_signed:
                    calls.judge(_sent(request, text), request.headers)
                body = json.loads(text) if text else {}
                asked = Asked(dict(request.match_info), dict(request.query), body)
                return web.json_response(call(calls, asked))
            except CoinbaseError as error:
                return web.json_response(error.payload, status=error.status)
            except (KeyError, ValueError):
                payload = {"error": "INVALID_ARGUMENT", "message": "a parameter is missing or malformed"}
                return web.json_response(payload, status=400)

        return web.route(method, path, handle)

    public = [route(*place, call, is_signed=False) for place, call in OPEN.items()]
    return public + [route(*place, call, is_signed=True) for place, call in SIGNED.items()]
