"""An Ethereum chain inside this process, for tests and demos: nothing on it has any value.

It starts empty each time, with one funded account and one token, and ends with the
process. It must never be given a real key or be mistaken for a live chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tool_servers.chain.token_code import creation_code

if TYPE_CHECKING:
    from web3 import Web3

LABEL: Final = "embedded test chain"
TOKEN_ABI: Final[list[dict[str, Any]]] = [
    {
        "name": name,
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "account", "type": "address"}] if name == "balanceOf" else [],
        "outputs": [{"name": "", "type": kind}],
    }
    for name, kind in (
        ("balanceOf", "uint256"),
        ("totalSupply", "uint256"),
        ("decimals", "uint8"),
        ("symbol", "string"),
        ("name", "string"),
    )
]


@dataclass(frozen=True, slots=True)
class EmbeddedChain:
    """A running test chain: its connection, its funded account and its token's address."""

    web3: Web3
    account: str
    token: str


def start_chain() -> EmbeddedChain:
    """Start the chain and deploy the token from the funded account."""
    from eth_tester import EthereumTester, PyEVMBackend
    from web3 import EthereumTesterProvider, Web3

    web3 = Web3(EthereumTesterProvider(EthereumTester(PyEVMBackend())))
    account = web3.eth.accounts[0]
    sent = web3.eth.send_transaction({"from": account, "data": creation_code(), "gas": 1_000_000})
    receipt = web3.eth.wait_for_transaction_receipt(sent)
    return EmbeddedChain(web3, str(account), str(receipt["contractAddress"]))
