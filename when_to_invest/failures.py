"""Every way in which executing can fail that we know of, as data: what is done then, and what shows it.

Nothing runs from this table: `docs/controls.md` is written from it, and a test finds every
function and test named here. A row without `tests` is not built, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Failure:
    """What can go wrong between the seal and the last fill, and what is done.

    `parts` are dotted names of what does it; `tests` files or `file::test`. `later` says what
    of it is not built; without any test nothing of it is.
    """

    name: str
    handling: str
    parts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    later: str = ""


_RECOVERY: Final = "tests/executor/test_recovery.py"
_INTAKE: Final = "tests/executor/test_intake.py"
_WORKING: Final = "tests/executor/test_working.py"
_DIARY: Final = "tests/executor/test_diary.py"
_JUDGING: Final = "tests/executor/test_judging_again.py"
_PROCESS: Final = "tests/faults/test_executor_process.py"
_VENUES: Final = "tests/executor/venues/test_venue_contract.py"
_LETTERS: Final = "tests/executor/test_dead_letters.py"

FAILURES: Final[tuple[Failure, ...]] = (
    Failure(
        "A crash between the venue's acceptance and the note of it",
        "The intention to send is in the journal, on disk, before the request leaves; at the next start the "
        "order is looked for by its own id before anything is received.",
        parts=("executor.recovery.Recovery.resolve", "executor.sending.Dispatcher.dispatch"),
        tests=(
            f"{_RECOVERY}::test_a_death_at_any_point_loses_nothing_and_repeats_nothing",
            "tests/faults/test_executor_killed.py",
            "tests/faults/test_executor_killed_at_exchange.py",
        ),
    ),
    Failure(
        "A request without a clear answer: timeout, server error, broken connection, unreadable reply",
        "The outcome is unknown and the order counts as filled. One place classifies every failure as "
        "definitive, provably unsent or ambiguous, and what is not listed is ambiguous. Nothing repeats a "
        "request by itself.",
        parts=("executor.venues.port.send",),
        tests=(
            "tests/executor/venues/test_port.py::test_each_mishap_has_its_class",
            f"{_RECOVERY}::test_an_unlisted_exception_is_ambiguous_and_the_order_is_found",
        ),
    ),
    Failure(
        "The venue says it knows no such order",
        "One such answer proves nothing. Absence takes several rounds without a contradiction and the end "
        "of the request's validity; else the order is set apart and its instrument may only shrink.",
        parts=("executor.recovery.Recovery.resolve",),
        tests=(
            f"{_RECOVERY}::test_at_a_venue_whose_silence_proves_nothing_absence_takes_the_requests_life",
            f"{_RECOVERY}::test_an_undecidable_order_is_quarantined_and_its_instrument_only_reduces",
            f"{_RECOVERY}::test_rounds_without_an_answer_prove_nothing",
        ),
        later="Balances are not part of the rounds: the paper venue answers from one book.",
    ),
    Failure(
        "A client order id used again",
        "Ids follow from decision, slice and attempt, and an attempt is counted on only when the one before "
        "is proven not accepted. Orders are limit orders.",
        parts=("executor.identity.client_order_id",),
        tests=(
            f"{_VENUES}::test_a_second_submit_of_one_id_is_ambiguous_and_changes_nothing",
            f"{_RECOVERY}::test_a_new_attempt_is_judged_again",
        ),
    ),
    Failure(
        "A message delivered twice, or sent again long after",
        "The journal's record of the decision is the authority; a second delivery is deleted and does "
        "nothing, whatever the queue remembers.",
        parts=("executor.intake.Intake.handle",),
        tests=(
            f"{_INTAKE}::test_a_second_delivery_is_deleted_and_does_nothing",
            "tests/faults/test_executor_killed_on_sqs.py",
        ),
    ),
    Failure(
        "A message returns to the queue while it is being sent, or two executors run",
        "A heartbeat extends the message; each executor begins an epoch in the journal that ends the ones "
        "before, and the epoch is looked at again right before the socket.",
        parts=("executor.heartbeat.kept", "executor.diary.Diary.begin_epoch", "executor.lease.sole_executor"),
        tests=(
            "tests/executor/test_heartbeat.py",
            f"{_DIARY}::test_an_older_executor_can_neither_write_nor_send_once_a_newer_began",
            f"{_DIARY}::test_a_takeover_between_intention_and_socket_stops_the_send",
        ),
        later="Rolling deployments with at most one executor are set by the operator, not here.",
    ),
    Failure(
        "A message that nobody can deal with",
        "After its last delivery it becomes a dead letter, which halts its group. Redriving judges again on "
        "fresh facts and seals anew; the old bytes are never sent.",
        parts=("executor.dead_letters.DeadLetterWatch", "tool_servers.orders.redrive.LetterDesk"),
        tests=(_LETTERS, "tests/tool_servers/test_redrive.py"),
    ),
    Failure(
        "A fill before the acknowledgement, a fill told twice",
        "Trades are booked once by venue and trade id, whichever report comes first.",
        parts=("executor.working.Working.poll",),
        tests=(
            f"{_WORKING}::test_a_trade_is_recorded_once_however_often_it_is_reported",
            f"{_WORKING}::test_the_end_waits_until_all_trades_are_known",
        ),
        later="There is no stream of trades yet, only polling.",
    ),
    Failure(
        "Part of an order fills and the rest is cancelled, or the cancellation is refused",
        "Fills stay, the remainder follows from the record, and a refused cancellation is no proof that the "
        "order lives: the venue is asked.",
        parts=("executor.cancelling.Canceller", "executor.sending.unsent_quantity"),
        tests=(
            f"{_WORKING}::test_a_partial_fill_then_expiry_keeps_the_fill",
            f"{_RECOVERY}::test_a_trade_that_raced_a_cancel_is_still_recorded_at_the_next_start",
        ),
    ),
    Failure(
        "Clocks that disagree or go back",
        "Nothing is decided on a clock that stands before the journal's newest event, or that was set "
        "either way since the process started; nothing is lost meanwhile, and stamps from the future are "
        "refused.",
        parts=("ledger.live.LiveLedger.demand_forward", "home.clock.WallClock"),
        tests=(
            f"{_JUDGING}::test_on_a_clock_that_went_back_nothing_is_taken_up_and_nothing_is_lost",
            "tests/ledger/test_clock_jumps.py",
            "tests/executor/test_clock_jumps.py",
        ),
        later="A process that starts on a clock that is ahead cannot know it, until a reference is too old; "
        "a venue's own clock is not compared yet.",
    ),
    Failure(
        "The venue asks for fewer requests",
        "Not built: it comes with the first venue that is reached over a network.",
    ),
    Failure(
        "The venue is down",
        "Its change of state is journalled once, buys there are refused, and orders of unknown outcome stay "
        "reserved until it answers.",
        parts=("executor.venue_watch.VenueWatch",),
        tests=(
            "tests/executor/test_venue_watch.py::test_a_venue_that_does_not_answer_is_down_until_it_does",
            f"{_RECOVERY}::test_nothing_is_received_while_a_doubt_is_open",
        ),
        later="No router chooses another venue: there is one.",
    ),
    Failure(
        "A crash in the middle of an order that is worked over time",
        "Not built: orders are sent whole. What is sent, open and unknown never exceeds what was "
        "authorised, which is what a schedule will rest on.",
    ),
    Failure("A stuck nonce, a spike of gas prices", "Not built: nothing is sent to a chain."),
    Failure("A node that lags, lies or disagrees", "Not built: nothing is read from a chain to decide on."),
    Failure("A reorganised chain, a dropped transaction", "Not built: nothing is sent to a chain."),
    Failure(
        "A journal that is torn, cut, rewritten or replaced by an older copy",
        "Every byte is accounted for; each event names the one before; a witness beside the file and anchors "
        "in a bucket know how far it reached. What does not check neither opens nor is written to.",
        parts=("ledger.verify.verify_journal", "ledger.witness.read_witness", "ledger.anchors.contradiction"),
        tests=(
            "tests/ledger/test_verify.py",
            "tests/ledger/test_bad_storage.py",
            "tests/ledger/test_anchors.py",
            f"{_PROCESS}::test_a_corrupt_journal_stops_it_before_anything_is_received",
        ),
    ),
    Failure(
        "Somebody who can write to the journal writes as if they were the executor",
        "No process writes what is not its own, so what the running executor did not write was written by "
        "a stranger: everything halts by latch, and the venue is asked about their orders. One that the "
        "journal calls ended and the venue still works on is told, halts everything and is cancelled; so "
        "does one of which the venue executed more or less than is booked; at the start, too, for the last "
        "24 hours. A decision with an order can be neither rejected nor sealed anew, and what is told of a "
        "decision that nobody proposed changes nothing.",
        parts=(
            "executor.sentry.Sentry",
            "executor.overheard.Overheard",
            "when_to_invest.writers.demand_own",
            "when_to_invest.orders.demand_unsent",
        ),
        tests=(
            "tests/executor/test_sentry.py",
            "tests/when_to_invest/test_writers.py",
            "tests/when_to_invest/test_sealed_anew.py",
            "tests/ledger/test_live.py::test_what_is_told_of_a_decision_that_nobody_proposed_changes_nothing",
        ),
        later="Events are not signed by their writer: what a stranger wrote while no executor ran is "
        "found by asking the venue, not by who wrote it.",
    ),
    Failure(
        "A full disk, a sync that fails",
        "The append fails with one clear error and nothing that follows from it happens: no answer, no "
        "message, no order. What was answered before is on disk.",
        parts=("ledger.sqlite_files.translated",),
        tests=(
            "tests/ledger/test_full_disk.py",
            "tests/ledger/test_bad_storage.py",
            "tests/tool_servers/test_sitting.py::test_a_disk_that_fails_answers_nobody_and_records_nothing",
        ),
    ),
    Failure(
        "The database goes away in the middle of a commit",
        "The next connection waits for the old transaction to end and looks whether the event is there; it "
        "is never written again blindly.",
        parts=("ledger.postgres_journal.PostgresJournal",),
        tests=(
            "tests/ledger/test_killed_server.py",
            "tests/ledger/test_killed_writer.py",
            "tests/ledger/test_postgres_journal.py",
        ),
    ),
)
