"""Settings: read strictly, or refused with the name of the key."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from home.paths import Home
from home.settings import QueueKind, Settings, read_settings
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode


def settings_from(text: str, folder: Path) -> Settings:
    home = Home(folder)
    home.config.write_text(text, encoding="utf-8")
    return read_settings(home)


def fault_from(text: str, folder: Path) -> Fault:
    with pytest.raises(Fault) as refused:
        settings_from(text, folder)
    return refused.value


def test_without_a_file_everything_is_replayed_on_paper(tmp_path: Path) -> None:
    settings = read_settings(Home(tmp_path))
    assert (settings.mode, settings.venue, settings.queue.kind) == (Mode.REPLAY, "paper", QueueKind.SQLITE)
    assert settings.limits == {}


def test_what_a_person_wrote_is_read(tmp_path: Path) -> None:
    text = """
        mode = "paper"
        [paper]
        fee_bps = "7.5"
        [queue]
        visibility_s = 60
        [limits]
        max_order_usd = "500"
    """
    settings = settings_from(text, tmp_path)
    assert settings.mode is Mode.PAPER
    assert settings.paper.fee_bps == Decimal("7.5")
    assert settings.queue.visibility_s == 60
    assert settings.limits == {"max_order_usd": "500"}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("bypass = true", "bypass"),
        ("[paper]\nslippage = 2", "paper.slippage"),
        ("[agent]\napi_key = 'x'", "agent.api_key"),
        ("moed = 'live'\n[paper]\nfee_bps = 'much'", "moed"),
    ],
)
def test_a_key_nobody_reads_refuses_to_start_and_is_named(text: str, key: str, tmp_path: Path) -> None:
    fault = fault_from(text, tmp_path)
    assert fault.code is ErrorCode.UNKNOWN_CONFIG_KEY
    assert repr(key) in fault.message


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("mode = 'real'", "mode"),
        ("[paper]\nfee_bps = -1", "paper.fee_bps"),
        ("[paper]\nfee_bps = 0.5", "paper.fee_bps"),
        ("[paper]\ncash_usd = 'nan'", "paper.cash_usd"),
        ("[services]\nhost = '0.0.0.0'", "services.host"),
        ("[queue]\nvisibility_s = 0", "queue.visibility_s"),
        ("[approvers]\nalice = '0x12'", "approvers.alice"),
        ("mode = ", "TOML"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(text: str, where: str, tmp_path: Path) -> None:
    fault = fault_from(text, tmp_path)
    assert fault.code is ErrorCode.BAD_CONFIG
    assert where in fault.message


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    Home(tmp_path).config.write_bytes(b"\xff\xfe")
    with pytest.raises(Fault) as refused:
        read_settings(Home(tmp_path))
    assert refused.value.code is ErrorCode.BAD_CONFIG


def test_services_listen_on_this_machine_only() -> None:
    assert Settings().services.host == "127.0.0.1"
