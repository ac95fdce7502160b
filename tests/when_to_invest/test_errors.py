"""Every error code means something to a script, and says how to go on."""

from __future__ import annotations

import pytest

from when_to_invest.errors import (
    ERROR_KINDS,
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    EXIT_UNUSABLE,
    ErrorCode,
    Fault,
)


def test_every_code_has_a_meaning_and_every_meaning_a_code() -> None:
    assert set(ERROR_KINDS) == set(ErrorCode)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_ends_a_command_with_one_of_the_promised_statuses(code: ErrorCode) -> None:
    kind = ERROR_KINDS[code]
    assert kind.exit_status in {EXIT_REFUSED, EXIT_UNUSABLE, EXIT_UNREACHABLE}
    assert kind.meaning


def test_no_two_codes_mean_the_same() -> None:
    assert len({kind.meaning for kind in ERROR_KINDS.values()}) == len(ERROR_KINDS)


def test_unusable_arguments_are_never_worth_a_second_try() -> None:
    assert not [
        c for c, kind in ERROR_KINDS.items() if kind.is_retryable and kind.exit_status == EXIT_UNUSABLE
    ]


def test_a_fault_tells_a_script_what_why_and_how_to_fix_it() -> None:
    fault = Fault(ErrorCode.QUEUE_UNAVAILABLE, "the queue does not answer", fix="start it")
    assert fault.as_json() == {
        "code": "queue_unavailable",
        "message": "the queue does not answer",
        "fix": "start it",
        "retryable": True,
    }
    assert fault.exit_status == EXIT_UNREACHABLE
    assert str(fault) == "the queue does not answer"
