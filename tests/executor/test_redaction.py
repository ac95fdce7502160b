"""Whatever text comes along, no secret and no address of a person gets through."""

from __future__ import annotations

import io
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.log import Log, Said
from executor.redaction import MOST_SIGNS, REDACTED, is_secret_name, redacted, secrets_of
from when_to_invest.intents import decision_id_of

WORDS = st.text(alphabet=string.ascii_letters + " ", max_size=30)
SIGNS = string.ascii_letters + string.digits
SECRETS = st.text(alphabet=SIGNS + "!#%^*-_.+/", min_size=8, max_size=90).filter(
    lambda text: any(sign.isdigit() for sign in text) and text not in REDACTED
)
NAMES = st.sampled_from(
    [
        "apiKey",
        "api_key",
        "API-KEY",
        "secret",
        "client_secret",
        "password",
        "passphrase",
        "X-MBX-APIKEY",
        "API-Sign",
        "CB-ACCESS-SIGN",
        "access_token",
        "signature",
        "Cookie",
        "private key",
    ]
)
JOINS = st.sampled_from(["=", ": ", ":", " = ", '":"', '": "', "' : '", " is "])
SCHEMES = st.sampled_from(["Bearer ", "bearer  ", "Basic ", "Authorization: Bearer "])


@given(before=WORDS, name=NAMES, join=JOINS, secret=SECRETS, after=WORDS)
def test_a_value_behind_a_name_that_promises_a_secret_is_taken_out(
    before: str, name: str, join: str, secret: str, after: str
) -> None:
    assert secret not in redacted(f"{before} {name}{join}{secret} {after}")


@given(before=WORDS, scheme=SCHEMES, secret=SECRETS, after=WORDS)
def test_a_bearer_token_is_taken_out(before: str, scheme: str, secret: str, after: str) -> None:
    assert secret not in redacted(f"{before} {scheme}{secret} {after}")


@given(before=WORDS, secret=st.text(min_size=4, max_size=50), after=WORDS)
def test_what_the_process_knows_to_be_secret_is_taken_out_wherever_it_stands(
    before: str, secret: str, after: str
) -> None:
    told = redacted(f"{before}{secret}{after}", secrets=[secret]).replace(REDACTED, "")
    assert secret not in told


@given(before=WORDS, address=st.emails(), after=WORDS)
def test_an_address_of_a_person_is_taken_out(before: str, address: str, after: str) -> None:
    told = redacted(f"{before} {address} {after}")
    assert address not in told
    assert "@" not in told


@given(before=WORDS, key=st.text(alphabet=SIGNS, min_size=40, max_size=200), after=WORDS)
def test_a_long_key_is_taken_out_though_nothing_names_it(before: str, key: str, after: str) -> None:
    assert key not in redacted(f"{before} {key} {after}")


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC PRIVATE KEY-----\nMHc\nCAQ\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMHcCAQ",
        "postgresql://trader:hunter2@db.internal/journal",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-proj-abcdef0123",
        "0x" + "1f" * 32,
        '{"headers": {"X-MBX-APIKEY": "k3y with spaces"}}',
    ],
)
def test_shapes_of_secrets_are_taken_out(text: str) -> None:
    told = redacted(f"the venue says {text}")
    assert REDACTED in told
    assert not any(part in told for part in ("MHc", "hunter2", "AKIA", "abcdef", "1f1f", "k3y", "spaces"))


@pytest.mark.parametrize(
    "text",
    [
        "Filter failure: LOT_SIZE",
        decision_id_of(proposer="agent", request_id="r-1"),
        "4f9b2c3d4e5f60718293a4b5c6d7e8f9",
        "123e4567-e89b-12d3-a456-426614174000",
        "sealed before a halt was lifted",
        "venue:paper",
    ],
)
def test_what_people_need_to_read_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.text())
def test_redacting_again_changes_nothing_that_matters(text: str) -> None:
    once = redacted(text)
    assert len(once) <= MOST_SIGNS
    assert "@" not in redacted(once) or "@" in text


@given(details=st.dictionaries(NAMES.map(lambda name: name.replace("-", "_").replace(" ", "_")), SECRETS))
def test_no_detail_of_a_secret_name_gets_into_a_line(details: dict[str, str]) -> None:
    stream = io.StringIO()
    Log(stream).say("x", **details)
    assert all(is_secret_name(name) for name in details)
    assert not any(value in stream.getvalue() for value in details.values())


@given(
    what=st.sampled_from(["order_sent", "retrying"]),
    why=st.text(),
    number=st.integers(),
)
def test_any_text_makes_one_line_of_valid_json(what: str, why: str, number: int) -> None:
    stream = io.StringIO()
    Log(stream).say(what, why=why, failures=number)
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert list(told)[:2] == ["process", "event"]
    assert told["failures"] == number


def test_secrets_of_the_environment_never_appear() -> None:
    environment = {"BINANCE_API_KEY": "word", "KRAKEN_SECRET": "other words", "HOME": "/root", "PIN": ""}
    stream = io.StringIO()
    assert secrets_of(environment) == {"word", "other words"}
    Log(stream, secrets=secrets_of(environment)).say("x", why="it quoted other words in /root")
    assert "other words" not in stream.getvalue()
    assert "/root" in stream.getvalue()


def test_listeners_hear_what_was_written_and_no_more() -> None:
    heard: list[Said] = []
    log = Log(io.StringIO())
    log.listen(heard.append)
    log.say("order_sent", why="password=hunter2!", api_key="abcd")
    assert (heard[0].event, heard[0].details) == ("order_sent", {"why": REDACTED, "api_key": REDACTED})


def test_a_stream_that_is_gone_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    Log(Gone()).say("started")
