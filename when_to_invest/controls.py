"""Every control over what may be sent, as data: what asks for it, what carries it out, what shows it.

Nothing runs from this table: `docs/controls.md` is written from it, and a test finds every
rule, function, limit and test named here, and every rule of the gate in some row.
"""

from __future__ import annotations

from typing import Final

from when_to_invest.promises import Control

_GATE: Final = "tests/policies/test_gate.py"
_FACTS: Final = "tests/policies/test_facts.py"
_INTAKE: Final = "tests/executor/test_intake.py"
_ATTACKS: Final = "tests/policies/test_attacks.py"

CONTROLS: Final[tuple[Control, ...]] = (
    Control(
        "Size of one order",
        "Quantity and worth are capped; worth is taken at the worse of the limit price and the reference, "
        "and what has no price is refused.",
        "SEC 15c3-5; MiFID II RTS 6 art. 15(1)",
        rules=("sane_amounts", "order_quantity", "order_notional"),
        limits=("max_order_quantity", "max_order_notional_usd"),
        tests=(
            f"{_FACTS}::test_an_order_is_sized_at_the_worse_of_limit_and_reference",
            f"{_GATE}::test_without_a_usable_and_recent_price_nothing_passes",
        ),
    ),
    Control(
        "Price collar",
        "A limit price stays near a reference that the judging process reads for itself; the proposer's "
        "own figures are no reference.",
        "SEC 15c3-5; MiFID II RTS 6 art. 15(1)(a)",
        rules=("price_collar",),
        limits=("price_collar_bps", "passive_collar_bps"),
        parts=("market_data.source.reference_price", "executor.market.HomeMarket.reference"),
        tests=(
            f"{_ATTACKS}::test_a_price_of_ones_own_is_no_reference",
            f"{_INTAKE}::test_the_executor_judges_again_on_its_own_prices",
        ),
        short="Gate and executor read the same lake on one machine; a wrong bar there is wrong for both.",
    ),
    Control(
        "Worth of open orders",
        "All orders that may still trade count at their worst prices. What is being sent, and what has an "
        "unknown outcome, counts as filled.",
        "NI 23-103; SEC, Knight Capital order (2012)",
        rules=("open_orders", "unresolved_orders"),
        limits=("max_open_orders_usd", "max_unresolved_orders"),
        parts=("when_to_invest.portfolio.AccountBook",),
        tests=(
            f"{_FACTS}::test_orders_of_unknown_outcome_stay_reserved_and_are_counted",
            f"{_ATTACKS}::test_a_lost_order_stops_every_further_buy_of_its_instrument",
            "tests/ledger/test_one_budget.py",
        ),
    ),
    Control(
        "Position and exposure",
        "Each instrument and all together, gross and net, over every account and venue, in dollars, as if "
        "every open buy filled.",
        "SEC 15c3-5; MiFID II RTS 6 art. 15; NI 23-103",
        rules=("position", "gross_exposure", "net_exposure"),
        limits=(
            "max_position_notional_usd",
            "max_gross_exposure_usd",
            "max_net_position_usd",
            "max_net_exposure_usd",
        ),
        tests=(
            f"{_FACTS}::test_holdings_of_all_accounts_count_but_cash_and_cover_are_the_accounts_own",
            f"{_ATTACKS}::test_splitting_it_over_instruments_runs_into_exposure_and_turnover",
        ),
        short="Chains will count once they can be traded; today no chain intent passes.",
    ),
    Control(
        "Turnover and message rates",
        "What trades of any 24 hours' orders and still may, and messages in a minute and an hour for each "
        "account, venue and instrument (a proposer's own, and everybody's sealed orders) and for each "
        "proposer. Counted from the journal, so a restart forgets nothing.",
        "MiFID II RTS 6 art. 15",
        rules=("turnover", "message_rate", "proposer_rate", "in_flight"),
        limits=(
            "max_turnover_24h_usd",
            "max_messages_per_minute",
            "max_messages_per_hour",
            "max_proposer_messages_per_minute",
            "max_proposer_messages_per_hour",
            "max_in_flight_orders",
        ),
        parts=("tool_servers.rates.RateLimiter", "policies.caller_limits.judge_by_both"),
        tests=(
            f"{_ATTACKS}::test_buying_and_selling_in_circles_runs_into_turnover",
            f"{_FACTS}::test_messages_are_counted_in_both_windows_and_scopes",
            "tests/policies/test_flooding.py",
            "tests/tool_servers/test_rates.py",
        ),
        short="The count of calls at a server's door is in memory and begins anew with the server; the "
        "counts that limit orders do not.",
    ),
    Control(
        "Loss and drawdown",
        "An account that lost too much today, or fell too far below its highest worth, only sells until "
        "people say otherwise: open purchases are cancelled at once. With `on_loss` set to `reduce` or "
        "`flatten` the orders server sells half of each position, or all of it, through the same gate and "
        "the same approvals. Worth is marked to the market by the executor.",
        "FIA guide to automated trading controls",
        rules=("daily_loss", "drawdown"),
        limits=("max_daily_loss_bps", "max_drawdown_bps"),
        parts=(
            "executor.valuation.Valuation",
            "executor.cancelling.Canceller",
            "tool_servers.orders.unwinding.Unwinder",
        ),
        tests=(
            "tests/executor/test_valuation.py::test_a_loss_beyond_the_limit_lets_the_account_only_reduce",
            "tests/when_to_invest/test_wealth.py",
            "tests/executor/test_working.py",
            "tests/executor/test_unwinding.py",
            "tests/flow/test_after_a_loss.py",
        ),
        short="It sells by itself only where `on_loss` says so, not in a halted home, and above the approval "
        "thresholds only once people sign.",
    ),
    Control(
        "The same again",
        "One proposer does not ask for the same instrument, side and quantity twice within the window; a "
        "request repeated under its own id is the decision it already was.",
        "SEC 15c3-5 (duplicative orders)",
        rules=("duplicate",),
        limits=("duplicate_window_s",),
        parts=("tool_servers.orders.proposal.ensure_same_request",),
        tests=(
            f"{_ATTACKS}::test_asking_for_the_same_again_and_again_is_done_once",
            f"{_ATTACKS}::test_a_refused_proposal_may_be_corrected_at_once",
        ),
    ),
    Control(
        "Repeated execution",
        "After a number of executions of one instrument and side in an hour the instrument stands still "
        "until a quorum lets it go on.",
        "MiFID II RTS 6 art. 15(3)",
        rules=("repeated_executions",),
        limits=("max_repeated_executions",),
        parts=("policies.splitting.repeated_executions",),
        tests=(
            "tests/executor/test_valuation.py::test_the_last_repetition_allowed_switches_the_instrument_off",
            f"{_ATTACKS}::test_a_loop_of_tiny_orders_is_stopped_by_the_throttle",
        ),
    ),
    Control(
        "What leaves is what was approved",
        "The executor compares the order it is about to send with the sealed intent and with what the "
        "journal says was sent before; the sum never exceeds what was authorised, and a venue that fills "
        "more stops everything.",
        "SEC, Knight Capital order (2012)",
        parts=("executor.sending.unsent_quantity", "executor.inspection.inspect"),
        tests=(
            "tests/executor/test_working.py::test_a_venue_that_fills_more_than_authorised_stops_everything",
            "tests/executor/test_simulation.py",
            "tests/policies/test_verify.py::test_each_field_is_covered_by_the_seal",
        ),
    ),
    Control(
        "Reference prices",
        "A price that is missing, zero, no number, too old or from the future refuses.",
        "NI 23-103",
        rules=("reference_known", "reference_age", "instrument_known"),
        limits=("max_reference_age_s", "max_clock_skew_s"),
        tests=(
            f"{_GATE}::test_without_a_usable_and_recent_price_nothing_passes",
            f"{_FACTS}::test_a_price_that_is_none_leaves_everything_it_prices_unknown",
        ),
        short="One longest age for every source; the only venue is a paper one that prices by daily bars.",
    ),
    Control(
        "Trading with oneself",
        "An order that could meet one of our own at the venue is refused.",
        "FIA guide to automated trading controls; MAR art. 12",
        rules=("self_trade",),
        short="No venue's own flag is set as well: the paper venue matches nobody with anybody.",
    ),
    Control(
        "Market halts",
        "No buying after a session outside the instrument's price band, while the whole market has fallen "
        "through a halt level, while the venue does not trade, or where its last trade disagrees with "
        "independent data.",
        "US limit-up-limit-down plan; NYSE rule 7.12; MiFID II RTS 6 art. 13 and 16",
        rules=("price_band", "market_halt", "venue_status", "print_anomaly"),
        limits=("max_price_band_bps", "market_halt_bps", "max_print_deviation_bps"),
        parts=("executor.venue_watch.VenueWatch",),
        tests=("tests/executor/test_venue_watch.py",),
        short="Bands are measured on closed bars of the lake, not within the session.",
    ),
    Control(
        "Allow-lists, spot only",
        "Modes, venues and instruments must be on a list, and an empty list means none. Buys are paid with "
        "cash at hand, sells covered by holdings: no leverage, no short sales, no withdrawals.",
        "SEC 15c3-5; SEC Regulation SHO; MiFID II RTS 6 art. 15",
        rules=(
            "mode",
            "venue_allowed",
            "instrument_allowed",
            "execution_worked",
            "spot_cash",
            "spot_holdings",
        ),
        limits=("allowed_modes", "allowed_venues", "allowed_instruments", "denied_instruments"),
        parts=("policies.tightening.Tighten",),
        tests=(
            "tests/policies/test_limits.py::test_a_shorter_allow_list_is_taken_and_an_empty_one_means_none",
            "tests/policies/test_limits.py::test_nothing_that_is_live_is_allowed",
            "tests/architecture/test_agent_reach.py",
        ),
        short="Lists of chains, contracts, selectors and recipients come with chain trading.",
    ),
    Control(
        "Active, reducing, halted",
        "Per instrument, venue, account and for the whole system. A halt is a latch on disk that every "
        "write looks at, so it holds with model, queue or database down; open orders are cancelled, and a "
        "cancellation always passes. Automation only tightens; going on takes a quorum.",
        "MiFID II RTS 6 art. 12; SEC 15c3-5",
        rules=("trading_state",),
        limits=("approver_quorum",),
        parts=("home.latch.Latch", "executor.cancelling.Canceller", "policies.remedies.Electorate"),
        tests=(
            "tests/faults/test_kill_switch.py",
            "tests/executor/test_halting_machine.py",
            "tests/home/test_latch.py",
            "tests/tool_servers/test_stops.py::test_no_writer_appends_a_looser_state",
        ),
    ),
    Control(
        "Form of an order",
        "Intents and envelopes expire; quantities are whole lots, prices whole ticks, and nothing is below "
        "the venue's least order. Cash for fees is held back.",
        "Venue rules; SEC 15c3-5 (erroneous orders)",
        rules=("intent_age", "lot_size", "tick_size", "min_notional", "spot_cash"),
        limits=("max_intent_age_s", "envelope_ttl_s", "fee_reserve_bps"),
        tests=(
            f"{_INTAKE}::test_an_expired_envelope_never_reaches_the_venue",
            f"{_INTAKE}::test_the_venue_may_not_take_a_request_after_its_envelope_expired",
            "tests/when_to_invest/test_order_life.py",
        ),
    ),
    Control(
        "People's signatures",
        "Above a threshold one or two people sign the exact intent, its decision, home, chain id and "
        "expiry; small orders that are large together need the same. Whoever asked does not count, any "
        "change voids, and no signature lifts a hard limit. Changing the roll takes a quorum.",
        "Wallets' policy engines; MiFID II RTS 6 art. 15",
        rules=("approvals", "split_orders"),
        limits=(
            "approval_notional_usd",
            "second_approval_notional_usd",
            "approval_total_24h_usd",
            "second_approval_total_24h_usd",
            "hold_expiry_s",
            "approver_quorum",
        ),
        parts=("policies.verify.verify_approval", "policies.roll.Roll", "policies.quorum.demand_quorum"),
        tests=(
            f"{_GATE}::test_signatures_never_lift_a_hard_rule",
            "tests/policies/test_verify.py::test_approving_oneself_leaves_the_order_held",
            "tests/policies/test_roll.py",
            "tests/tool_servers/test_approvals_machine.py",
        ),
    ),
    Control(
        "Chains",
        "Nothing on a chain passes: the one rule for chain intents refuses every one.",
        "Deny by default",
        rules=("chain_writes",),
        tests=(f"{_GATE}::test_a_transfer_is_refused_by_a_rule_that_says_so",),
        short="Not built: slippage floor, deadline from chain time, caps on gas and fee, finite token "
        "approvals, no delegatecall, no raw calldata. They are needed before this rule may fall.",
    ),
    Control(
        "Limits stay limits",
        "Configuration can only tighten: a looser, unreadable or unknown key refuses to start and is named. "
        "A rule that errs refuses, all reasons return at once, and no flag skips a rule.",
        "Holes seen in other systems",
        parts=("policies.limits.tighten", "policies.gate.judge"),
        tests=(
            "tests/policies/test_limits.py",
            f"{_GATE}::test_a_rule_that_raises_refuses_and_shows_nothing",
            f"{_GATE}::test_the_gate_agrees_with_a_second_naive_gate",
            f"{_GATE}::test_tightening_any_limit_never_lets_more_through",
        ),
    ),
    Control(
        "The gate blocks no more than it should",
        "Refusals of honest proposals are counted like bypasses are: a gate that blocks too much is "
        "switched off.",
        "Practice",
        parts=("benchmarks.false_blocks.rows",),
        tests=("tests/attacks/test_siege.py::test_no_honest_proposal_is_blocked",),
    ),
)
