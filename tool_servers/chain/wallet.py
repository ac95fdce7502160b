"""A GOAT wallet that can only look. The one module of ours that imports goat.

It fits wherever GOAT's tools expect a wallet, and every method that would sign or send
raises. It holds no key, so there is nothing it could sign with.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from goat.classes.wallet_client_base import Balance, Signature
from goat.types.chain import EvmChain
from goat_wallets.evm import EVMReadRequest, EVMReadResult, EVMTransaction, EVMTypedData, EVMWalletClient

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.money import decimal_text

if TYPE_CHECKING:
    from web3 import Web3

_ETHER_DECIMALS = 18


class ReadOnlyWallet(EVMWalletClient):  # type: ignore[misc]  # goat publishes no types
    """Looks at one account of one chain."""

    def __init__(self, web3: Web3, *, address: str) -> None:
        super().__init__()
        self._web3 = web3
        self._address = self.resolve_address(address)

    def get_address(self) -> str:
        """Return the checksummed address looked at by default."""
        return self._address

    def get_chain(self) -> EvmChain:
        """Return the chain's id as the node states it."""
        return {"type": "evm", "id": self._web3.eth.chain_id}

    def resolve_address(self, address: str) -> str:
        """Return a checksummed address; names are not looked up.

        Raises:
            Fault: `bad_argument` when it is no address, or its checksum is wrong.
        """
        digits = address.removeprefix("0x")
        is_mixed = digits not in {digits.lower(), digits.upper()}
        # web3 takes mixed case on trust, so a mistyped digit would go unnoticed.
        is_mistyped = is_mixed and not self._web3.is_checksum_address(address)
        if is_mistyped or not address.startswith("0x") or not self._web3.is_address(address):
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                "that is no address: 0x and 40 hex digits, with a right checksum if mixed-case",
                fix="copy the address again; names are not resolved",
            )
        return str(self._web3.to_checksum_address(address))

    def balance_of(self, address: str) -> Balance:
        """Return the native balance of an address."""
        wei = self._web3.eth.get_balance(self._web3.to_checksum_address(self.resolve_address(address)))
        return {
            "decimals": _ETHER_DECIMALS,
            "symbol": "ETH",
            "name": "Ether (test)",
            "value": whole_units(wei, decimals=_ETHER_DECIMALS),
            "in_base_units": str(wei),
        }

    def read(self, request: EVMReadRequest) -> EVMReadResult:
        """Call a view function of a contract and return its value."""
        place = self._web3.to_checksum_address(self.resolve_address(request["address"]))
        contract = self._web3.eth.contract(address=place, abi=request["abi"])
        function: Any = contract.get_function_by_name(request["functionName"])
        return {"value": function(*request.get("args", [])).call()}

    def sign_message(self, message: str) -> Signature:
        """Refuse: this wallet has no key."""
        del message
        _closed("signing messages")

    def sign_typed_data(self, data: EVMTypedData) -> Signature:
        """Refuse: this wallet has no key."""
        del data
        _closed("signing typed data")

    def send_transaction(self, transaction: EVMTransaction) -> dict[str, str]:
        """Refuse: this wallet has no key."""
        del transaction
        _closed("sending transactions")


def whole_units(base_units: int, *, decimals: int) -> str:
    """Return an amount of base units in whole units, exact, as text."""
    return decimal_text(Decimal(base_units).scaleb(-decimals))


def _closed(what: str) -> NoReturn:
    raise Fault(ErrorCode.BAD_ARGUMENT, f"{what} is closed in this version", fix="only balances can be read")
