"""The supervisor's decisions, without starting anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.identity import Identity, identify, start_mark
from cli.restarts import PAUSES_S, WINDOW_S, RestartBudget
from cli.service_files import (
    ServiceEntry,
    home_tokens,
    make_tokens,
    read_services,
    take_lock,
    write_services,
)
from cli.service_process import child_environment
from cli.service_states import states
from cli.supervisor import down, prepare, service_specs
from home.ledger import LedgerSettings
from home.paths import HOME_VARIABLE, Home
from home.settings import QueueKind, QueueSettings, ServiceSettings, Settings
from home.signing import SigningSettings
from tool_servers.access import OPERATOR
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "correct horse battery"  # noqa: S105 - a made-up one
PARENT = {
    "PATH": "/bin",
    "HOME": "/nowhere",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "ANTHROPIC_API_KEY": "llm",
    "AWS_SECRET_ACCESS_KEY": "cloud",
    "PYTHONPATH": "/elsewhere",
    "VENUE_SECRET": "venue",
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_child_sees_only_named_variables(home: Home) -> None:
    seen = child_environment(home, PARENT)
    assert set(seen) == {"PATH", "HOME", "LANG", "TZ", HOME_VARIABLE}
    assert seen[HOME_VARIABLE] == str(home.root)


def test_cloud_credentials_reach_only_who_needs_the_cloud(home: Home) -> None:
    seen = child_environment(home, PARENT, may_reach=["AWS_"])
    assert {name for name in seen if name.startswith("AWS_")} == {"AWS_SECRET_ACCESS_KEY"}
    assert not {"ANTHROPIC_API_KEY", "VENUE_SECRET", "PYTHONPATH"} & set(seen)


def test_each_service_gets_its_own_secrets_and_no_others(home: Home) -> None:
    specs = {
        spec.name: spec for spec in service_specs(Settings(), passphrase=PASSPHRASE, tokens=make_tokens(home))
    }
    assert set(specs) == {"market", "orders", "chain", "executor"}
    assert [name for name, spec in specs.items() if spec.secrets.passphrase] == ["orders"]
    callers = {name: set(spec.secrets.callers.by_token_hash.values()) for name, spec in specs.items()}
    assert callers == {
        "market": {"agent"},
        "orders": {"agent", OPERATOR},
        "chain": {"agent"},
        "executor": set(),
    }
    assert not any(spec.may_reach_aws for spec in specs.values())


def test_with_a_cloud_queue_its_two_ends_reach_the_cloud(home: Home) -> None:
    settings = Settings(queue=QueueSettings(kind=QueueKind.SQS, url="https://queue"))
    specs = service_specs(settings, passphrase="", tokens=make_tokens(home))
    assert {spec.name for spec in specs if spec.may_reach_aws} == {"orders", "executor"}


def test_with_a_database_its_two_writers_reach_it_and_nothing_else(home: Home) -> None:
    settings = Settings(ledger=LedgerSettings(url="postgresql://writer@db/journal"))
    specs = service_specs(settings, passphrase="", tokens=make_tokens(home))
    assert {spec.name for spec in specs if spec.may_reach_ledger} == {"orders", "executor"}
    assert not any(spec.may_reach_aws for spec in specs)
    (orders,) = (spec for spec in specs if spec.name == "orders")
    given = {"WHEN_TO_INVEST_LEDGER_PASSWORD": "x", **PARENT}
    assert set(child_environment(home, given, may_reach=orders.may_reach)) - set(PARENT) == {
        HOME_VARIABLE,
        "WHEN_TO_INVEST_LEDGER_PASSWORD",
    }


def test_what_finds_a_token_reaches_who_seals_in_it_and_nobody_else(home: Home) -> None:
    places: dict[str, set[str]] = {
        "keystore": set(),
        "kms:seal": set(),
        "pkcs11:token=t;object=k?module-path=/l.so": {"orders"},
    }
    given = PARENT | {"SOFTHSM2_CONF": "/c", "SOFTHSM2_PIN": "1234", "CLOUDHSM_PIN": "user:1234"}
    for place, holders in places.items():
        settings = Settings(signing=SigningSettings(seal=place))
        specs = service_specs(settings, passphrase=PASSPHRASE, tokens=make_tokens(home))
        seen = {spec.name: set(child_environment(home, given, may_reach=spec.may_reach)) for spec in specs}
        assert {name for name, names in seen.items() if "SOFTHSM2_CONF" in names} == holders
        assert not any("_PIN" in variable for names in seen.values() for variable in names)


def test_an_executor_elsewhere_is_not_started_here(home: Home) -> None:
    settings = Settings(services=ServiceSettings(executor="elsewhere"))
    specs = service_specs(settings, passphrase="", tokens=make_tokens(home))
    assert "executor" not in {spec.name for spec in specs}


def test_restarts_pause_longer_each_time_and_then_stop() -> None:
    budget = RestartBudget()
    assert [budget.next_pause_s(0.0) for _ in range(6)] == [*PAUSES_S, None]


def test_a_calm_window_restores_the_budget() -> None:
    budget = RestartBudget()
    for _ in PAUSES_S:
        budget.next_pause_s(0.0)
    assert budget.next_pause_s(WINDOW_S - 1) is None
    assert budget.next_pause_s(WINDOW_S) == PAUSES_S[0]


def test_a_process_is_known_by_its_start_not_its_number_alone() -> None:
    ours = identify(os.getpid())
    assert ours.is_running()
    assert not Identity(ours.pid, "another start").is_running()
    assert not Identity(ours.pid, "").is_running()


def test_a_pid_that_now_means_another_process_is_never_signalled(home: Home) -> None:
    stranger = ServiceEntry("orders", os.getpid(), "another start", "http://127.0.0.1:1/mcp")
    write_services(home, (stranger,))
    assert down(home) == ()
    assert start_mark(os.getpid())


def test_what_is_written_of_the_services_is_read_again(home: Home) -> None:
    entries = (
        ServiceEntry("market", 10, "1", "http://127.0.0.1:1/mcp"),
        ServiceEntry("executor", 11, "2", None, restarts=3),
    )
    write_services(home, entries)
    assert read_services(home) == entries


def test_a_service_that_is_gone_is_shown_as_down(home: Home) -> None:
    write_services(home, (ServiceEntry("market", os.getpid(), "another start", "http://127.0.0.1:1/mcp"),))
    assert [item.state for item in states(home)] == ["down"]


@pytest.mark.parametrize("text", ["", "[]", '{"market": {}}', '{"market": {"pid": "x"}}'])
def test_a_damaged_services_file_reads_as_nothing(home: Home, text: str) -> None:
    home.run.mkdir()
    (home.run / "services.json").write_text(text)
    assert read_services(home) == ()


def test_tokens_are_for_their_owner_only_and_fresh_each_time(home: Home) -> None:
    first, second = make_tokens(home), make_tokens(home)
    assert len({first.agent, first.operator, second.agent, second.operator}) == 4
    for name in ("agent.token", "operator.token"):
        assert (home.run / name).stat().st_mode & 0o777 == 0o600
    assert home.run.stat().st_mode & 0o777 == 0o700
    assert home_tokens(home) == second


def test_two_supervisors_never_share_a_home(home: Home) -> None:
    with take_lock(home), pytest.raises(Fault) as error:
        prepare(home, replay_from="2018-06-01")
    assert error.value.code is ErrorCode.ALREADY_RUNNING
    assert not home.clock.exists()


def test_a_replay_home_without_a_clock_says_how_to_set_it(home: Home) -> None:
    with pytest.raises(Fault) as error:
        prepare(home, replay_from=None)
    assert error.value.code is ErrorCode.BAD_CONFIG
    assert "--replay-from" in error.value.fix


def test_a_replay_clock_is_refused_in_any_other_mode(home: Home) -> None:
    home.config.write_text('mode = "paper"\n')
    with pytest.raises(Fault) as error:
        prepare(home, replay_from="2018-06-01")
    assert error.value.code is ErrorCode.MODE_MISMATCH


def test_nothing_up_means_nothing_to_end(home: Home) -> None:
    assert down(home) == ()
    assert not home.run.exists()
