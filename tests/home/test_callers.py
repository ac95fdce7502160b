"""Tables of callers only take away, and belong to somebody."""

from __future__ import annotations

from pathlib import Path

import pytest

from home.paths import Home
from home.settings import Settings, read_settings
from when_to_invest.errors import ErrorCode, Fault

OAUTH = '[oauth]\nissuer = "https://issuer.example"\njwks_file = "keys.json"\n'
ALICE = '[callers.alice]\nsubject = "a-1"\n'


def read(tmp_path: Path, text: str) -> Settings:
    home = Home(tmp_path)
    home.config.write_text(text)
    return read_settings(home)


def test_a_caller_with_its_subject_tools_and_limits_is_read(tmp_path: Path) -> None:
    told = read(
        tmp_path,
        OAUTH
        + ALICE
        + 'tools = ["orders.get_order"]\n[callers.alice.limits]\nmax_order_notional_usd = "2000"\n',
    )
    assert told.callers["alice"].tools == ("orders.get_order",)
    assert told.callers["alice"].limits == {"max_order_notional_usd": "2000"}


def test_the_local_agent_needs_neither_issuer_nor_subject(tmp_path: Path) -> None:
    assert read(tmp_path, "[callers.agent]\ncalls_per_minute = 10\n").callers["agent"].calls_per_minute == 10


@pytest.mark.parametrize(
    "text",
    [
        ALICE,
        OAUTH + "[callers.alice]\n",
        OAUTH + '[callers.operator]\nsubject = "o-1"\n',
        OAUTH + '[callers.local]\nsubject = "l-1"\n',
        OAUTH + '[callers.risk]\nsubject = "r-1"\n',
        OAUTH + '[callers.agent]\nsubject = "a-1"\n',
        OAUTH + ALICE + '[callers.bob]\nsubject = "a-1"\n',
        OAUTH + ALICE + 'may_read = ["nobody"]\n',
        OAUTH + ALICE + "calls_per_minute = 601\n",
        OAUTH + ALICE + "calls_per_minute = 0\n",
        OAUTH + ALICE + 'tools = ["propose_order"]\n',
        OAUTH + '[callers."Alice"]\nsubject = "a-1"\n',
        OAUTH + '[callers.alice]\nsubject = "a 1"\n',
        OAUTH.replace("https", "http"),
        OAUTH.replace('"keys.json"', '"../keys.json"'),
        OAUTH.replace('jwks_file = "keys.json"', ""),
        OAUTH + 'jwks_url = "https://issuer.example/keys"\n',
        OAUTH + 'algorithms = ["HS256"]\n',
        OAUTH + 'algorithms = ["none"]\n',
        OAUTH + "algorithms = []\n",
        OAUTH + "leeway_s = 3600\n",
    ],
)
def test_a_table_that_could_let_somebody_in_by_mistake_refuses_to_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(Fault) as error:
        read(tmp_path, text)
    assert error.value.code is ErrorCode.BAD_CONFIG


@pytest.mark.parametrize("key", ["scopes", "max_order_notional", "admin"])
def test_a_key_nobody_reads_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(Fault, match=key) as error:
        read(tmp_path, OAUTH + ALICE + f"{key} = 1\n")
    assert error.value.code is ErrorCode.UNKNOWN_CONFIG_KEY
