"""The chain server really asks a chain, and can do nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from home.paths import Home
from tests.tool_servers.calling import answer_of, call, error_of
from tool_servers.assembly import ToolServer
from tool_servers.chain.embedded import EmbeddedChain, start_chain
from tool_servers.chain.main import build
from tool_servers.chain.reader import ChainReader
from tool_servers.chain.token_code import COIN_NAME, COIN_SYMBOL, TOKEN_SUPPLY, assemble
from when_to_invest.errors import Fault

NOBODY = "0x" + "11" * 20


@pytest.fixture(scope="module")
def chain() -> EmbeddedChain:
    return start_chain()


@pytest.fixture(scope="module")
def server(chain: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> ToolServer:
    return build(Home(tmp_path_factory.mktemp("home")), reader=ChainReader(lambda: chain))


def test_the_test_account_holds_coins_and_tokens(server: ToolServer, chain: EmbeddedChain, mode: str) -> None:
    told = answer_of(call(server, "get_balances", mode=mode))
    assert told["is_test_chain"]
    assert (told["address"], told["block"]) == (chain.account, 1)
    native, token = told["balances"]
    assert native["base_units"] == str(
        chain.web3.eth.get_balance(chain.web3.to_checksum_address(chain.account))
    )
    assert (token["token"], token["base_units"], token["amount"]) == (
        chain.token,
        str(TOKEN_SUPPLY),
        "250000",
    )
    assert token["symbol"] == f"⟦untrusted⟧{COIN_SYMBOL}⟦/untrusted⟧"


def test_another_address_holds_nothing(server: ToolServer, mode: str) -> None:
    told = answer_of(call(server, "get_balances", {"address": NOBODY}, mode=mode))
    assert [row["base_units"] for row in told["balances"]] == ["0", "0"]


@pytest.mark.parametrize("address", ["vitalik.eth", "0x12", "", "0x" + "zz" * 20, NOBODY + "1", NOBODY[2:]])
def test_what_is_no_address_is_an_error(server: ToolServer, mode: str, address: str) -> None:
    assert error_of(call(server, "get_balances", {"address": address}, mode=mode))["code"] == "bad_argument"


def test_a_wrong_checksum_is_an_error(server: ToolServer, chain: EmbeddedChain, mode: str) -> None:
    swapped = "0x" + chain.account[2:].swapcase()
    assert error_of(call(server, "get_balances", {"address": swapped}, mode=mode))["code"] == "bad_argument"


def test_the_limits_say_that_nothing_can_be_written(server: ToolServer, mode: str) -> None:
    told = answer_of(call(server, "explain_limits", mode=mode))
    assert told["are_writes_enabled"] is False


def test_the_wallet_refuses_to_sign_and_to_send(chain: EmbeddedChain) -> None:
    from tool_servers.chain.wallet import ReadOnlyWallet

    wallet = ReadOnlyWallet(chain.web3, address=chain.account)
    attempts = (
        lambda: wallet.sign_message("pay"),
        lambda: wallet.sign_typed_data({}),
        lambda: wallet.send_transaction({"to": NOBODY, "value": 1}),
    )
    for attempt in attempts:
        with pytest.raises(Fault, match="closed"):
            attempt()
    assert chain.web3.eth.block_number == 1


def test_goats_own_tools_read_through_the_wallet(chain: EmbeddedChain) -> None:
    from tool_servers.chain.wallet import ReadOnlyWallet

    wallet = ReadOnlyWallet(chain.web3, address=chain.account)
    tools = {tool.name: tool for tool in wallet.get_core_tools()}
    assert tools["get_address"].execute({}) == chain.account
    assert tools["get_balance"].execute({"address": NOBODY})["value"] == "0"


def test_the_token_speaks_erc20_for_reading_only(chain: EmbeddedChain) -> None:
    from tool_servers.chain.embedded import TOKEN_ABI

    place = chain.web3.to_checksum_address(chain.token)
    token = chain.web3.eth.contract(address=place, abi=TOKEN_ABI)
    assert token.functions.name().call() == COIN_NAME
    assert token.functions.totalSupply().call() == TOKEN_SUPPLY
    transfer = "0xa9059cbb" + "00" * 64
    with pytest.raises(Exception, match=r"revert|Reverted|Transaction"):
        chain.web3.eth.call({"to": place, "data": transfer})


def test_a_listing_with_an_unknown_word_does_not_assemble() -> None:
    with pytest.raises(KeyError):
        assemble(["SELFDESTRUCT"])


def test_starting_the_server_asks_nothing_of_a_chain(tmp_path: Path) -> None:
    def broken() -> EmbeddedChain:
        raise AssertionError("started too early")

    assert build(Home(tmp_path), reader=ChainReader(broken)).name == "chain"
