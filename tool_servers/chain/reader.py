"""Reads balances of one chain through the read-only wallet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tool_servers.chain.embedded import LABEL, TOKEN_ABI, EmbeddedChain
from tool_servers.untrusted import untrusted
from when_to_invest.values import Value

if TYPE_CHECKING:
    from tool_servers.chain.wallet import ReadOnlyWallet


class BalanceRow(Value):
    """One asset: `amount` in whole units, `base_units` as the chain counts; names untrusted."""

    symbol: str
    token: str | None
    amount: str
    base_units: str
    decimals: int


class Balances(Value):
    """What an address holds on one chain."""

    chain: str
    chain_id: int
    is_test_chain: bool
    block: int
    address: str
    balances: tuple[BalanceRow, ...]


@dataclass(slots=True)
class ChainReader:
    """Reads one chain, started at the first question (or by `warm`)."""

    start: Callable[[], EmbeddedChain]
    _chain: EmbeddedChain | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def warm(self) -> EmbeddedChain:
        """Return the running chain, starting it once."""
        with self._lock:
            if self._chain is None:
                self._chain = self.start()
            return self._chain

    def balances(self, address: str | None) -> Balances:
        """Return native and token balances of `address`, the test account's without one.

        Raises:
            Fault: `bad_argument` when it is no address.
        """
        from tool_servers.chain.wallet import ReadOnlyWallet

        # The embedded chain is no server: one question at a time.
        with self._lock:
            chain = self.warm()
            wallet = ReadOnlyWallet(chain.web3, address=chain.account)
            place = wallet.get_address() if address is None else wallet.resolve_address(address)
            return Balances(
                chain=LABEL,
                chain_id=wallet.get_chain()["id"],
                is_test_chain=True,
                block=chain.web3.eth.block_number,
                address=place,
                balances=(_native(wallet, place), _token(wallet, place, token=chain.token)),
            )


def _native(wallet: ReadOnlyWallet, address: str) -> BalanceRow:
    held = wallet.balance_of(address)
    return BalanceRow(
        symbol=held["symbol"],
        token=None,
        amount=held["value"],
        base_units=held["in_base_units"],
        decimals=held["decimals"],
    )


def _token(wallet: ReadOnlyWallet, address: str, *, token: str) -> BalanceRow:
    from tool_servers.chain.wallet import whole_units

    def asked(function: str, *arguments: str) -> Any:
        request = {"address": token, "abi": TOKEN_ABI, "functionName": function, "args": list(arguments)}
        return wallet.read(request)["value"]

    held, decimals = int(asked("balanceOf", address)), int(asked("decimals"))
    return BalanceRow(
        symbol=untrusted(str(asked("symbol")), longest=20),
        token=token,
        amount=whole_units(held, decimals=decimals),
        base_units=str(held),
        decimals=decimals,
    )
