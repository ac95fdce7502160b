"""How Binance spot words orders, fills, listings and books that are asked for, in JSON. Pure."""

from __future__ import annotations

from decimal import Decimal

from tests.exchange.candles import DAY_MS, MINUTE_MS, last_day
from tests.exchange.matching import Exchange
from tests.exchange.terms import (
    ZERO,
    Ask,
    Candle,
    Depth,
    Fill,
    Force,
    Listing,
    Order,
    State,
    Trade,
)

Payload = dict[str, object]
STATUS = {
    State.OPEN: "NEW",
    State.PARTLY_FILLED: "PARTIALLY_FILLED",
    State.FILLED: "FILLED",
    State.CANCELLED: "CANCELED",
    State.EXPIRED: "EXPIRED",
}
FORCE = {Force.IMMEDIATE_OR_CANCEL: "IOC", Force.FILL_OR_KILL: "FOK"}
INTERVALS_MS = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "1d": DAY_MS,
}
ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET"]


def pair(symbol: str) -> str:
    """Return "BTCUSDT" for "BTC/USDT"."""
    return symbol.replace("/", "")


def eight(value: Decimal) -> str:
    return f"{value:.8f}"


def order_type(ask: Ask) -> str:
    if ask.price is None:
        return "MARKET"
    return "LIMIT_MAKER" if ask.force is Force.POST_ONLY else "LIMIT"


def _core(order: Order) -> Payload:
    ask = order.ask
    return {
        "symbol": pair(ask.symbol),
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": eight(ask.price or ZERO),
        "origQty": eight(ask.quantity),
        "executedQty": eight(order.filled),
        "origQuoteOrderQty": eight(ZERO),
        "cummulativeQuoteQty": eight(order.cost),
        "status": STATUS[order.state],
        "timeInForce": FORCE.get(ask.force, "GTC"),
        "type": order_type(ask),
        "side": ask.side.name,
        "selfTradePreventionMode": "NONE" if ask.self_trade == "allow" else ask.self_trade.name,
    }


def order(order: Order) -> Payload:
    """Word an order as GET /order does."""
    return {
        **_core(order),
        "stopPrice": eight(ZERO),
        "icebergQty": eight(ZERO),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
    }


def accepted(order: Order, fills: list[Fill]) -> Payload:
    """Word a new order as POST /order does when asked for the full reply."""
    told = [
        {
            "price": eight(f.trade.price),
            "qty": eight(f.trade.quantity),
            "commission": eight(f.fee),
            "commissionAsset": f.fee_asset,
            "tradeId": f.trade.id,
        }
        for f in fills
    ]
    return {
        **_core(order),
        "transactTime": order.updated_ms,
        "workingTime": order.created_ms,
        "fills": told,
    }


def cancelled(order: Order) -> Payload:
    return {
        **_core(order),
        "origClientOrderId": order.client_id,
        "clientOrderId": f"cancel-{order.id}",
        "transactTime": order.updated_ms,
    }


def fill(fill: Fill) -> Payload:
    trade = fill.trade
    return {
        "symbol": pair(trade.symbol),
        "id": trade.id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": eight(trade.price),
        "qty": eight(trade.quantity),
        "quoteQty": eight(trade.price * trade.quantity),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": trade.time_ms,
        "isBuyer": fill.side == "buy",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def public_trade(trade: Trade) -> Payload:
    return {
        "id": trade.id,
        "price": eight(trade.price),
        "qty": eight(trade.quantity),
        "quoteQty": eight(trade.price * trade.quantity),
        "time": trade.time_ms,
        "isBuyerMaker": trade.taker_side == "sell",
        "isBestMatch": True,
    }


def aggregate_trade(trade: Trade) -> Payload:
    return {
        "a": trade.id,
        "p": eight(trade.price),
        "q": eight(trade.quantity),
        "f": trade.id,
        "l": trade.id,
        "T": trade.time_ms,
        "m": trade.taker_side == "sell",
        "M": True,
    }


def listing(listing: Listing) -> Payload:
    tick, lot = eight(listing.tick), eight(listing.lot)
    filters: list[Payload] = [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "9000.00000000", "stepSize": lot},
        {"filterType": "NOTIONAL", "minNotional": eight(listing.min_notional), "applyMinToMarket": True},
    ]
    precisions = (
        "baseAssetPrecision",
        "quotePrecision",
        "quoteAssetPrecision",
        "baseCommissionPrecision",
        "quoteCommissionPrecision",
    )
    switches = {"isMarginTradingAllowed": False, "allowTrailingStop": False, "cancelReplaceAllowed": False}
    allowed = (
        "icebergAllowed",
        "ocoAllowed",
        "otoAllowed",
        "opoAllowed",
        "quoteOrderQtyMarketAllowed",
        "isSpotTradingAllowed",
        "pegInstructionsAllowed",
    )
    return {
        "symbol": pair(listing.symbol),
        "status": "TRADING",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        **dict.fromkeys(precisions, 8),
        "orderTypes": ORDER_TYPES,
        **dict.fromkeys(allowed, True),
        **switches,
        "amendAllowed": False,
        "filters": filters,
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER"],
    }


def levels(side: tuple[tuple[Decimal, Decimal], ...]) -> list[list[str]]:
    return [[eight(price), eight(quantity)] for price, quantity in side]


def depth(depth: Depth) -> Payload:
    return {"lastUpdateId": depth.sequence, "bids": levels(depth.bids), "asks": levels(depth.asks)}


def kline(candle: Candle, *, interval_ms: int = MINUTE_MS) -> list[object]:
    return [
        candle.start_ms,
        *(eight(x) for x in (candle.open, candle.high, candle.low, candle.close, candle.volume)),
        candle.start_ms + interval_ms - 1,
        eight(candle.cost),
        candle.trades,
        eight(candle.taker_buy_volume),
        eight(candle.taker_buy_cost),
        "0",
    ]


def ticker(exchange: Exchange, symbol: str, *, now_ms: int) -> Payload:
    """Word the last day as GET /ticker/24hr does."""
    trades, best = exchange.trades[symbol], exchange.depth(symbol, 1)
    day = last_day(trades, now_ms=now_ms) or Candle(now_ms, *(ZERO,) * 4)
    bid, ask = (side[0] if side else (ZERO, ZERO) for side in (best.bids, best.asks))
    change = day.close - day.open
    texts = {
        "priceChange": change,
        "priceChangePercent": change / day.open * 100 if day.open else ZERO,
        "weightedAvgPrice": day.cost / day.volume if day.volume else ZERO,
        "prevClosePrice": day.open,
        "lastPrice": day.close,
        "lastQty": trades[-1].quantity if trades else ZERO,
        "bidPrice": bid[0],
        "bidQty": bid[1],
        "askPrice": ask[0],
        "askQty": ask[1],
        "openPrice": day.open,
        "highPrice": day.high,
        "lowPrice": day.low,
        "volume": day.volume,
        "quoteVolume": day.cost,
    }
    first, last = (trades[0].id, trades[-1].id) if trades else (-1, -1)
    times = {"openTime": day.start_ms, "closeTime": now_ms, "firstId": first, "lastId": last}
    told = {key: eight(value) for key, value in texts.items()}
    return {"symbol": pair(symbol), **told, **times, "count": day.trades}


def account(exchange: Exchange, name: str, *, now_ms: int) -> Payload:
    rates = {
        "maker": exchange.fees.maker_ratio,
        "taker": exchange.fees.taker_ratio,
        "buyer": ZERO,
        "seller": ZERO,
    }
    flags = {"canTrade": True, "canWithdraw": False, "canDeposit": True, "brokered": False}
    commissions = {"makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0}
    return {
        **commissions,
        "commissionRates": {key: eight(rate) for key, rate in rates.items()},
        **flags,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": now_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": eight(h.free), "locked": eight(h.held)}
            for asset, h in exchange.vault.holdings(name).items()
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }
