"""The way of one idea, stage by stage, as data.

Nothing runs from this table: the README's map and `docs/flow.md` are written from it, and
a test resolves every function and type, and checks that each stage takes what an earlier
one gives. Functions and types are named by dotted text, because the core imports nothing
of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

AGENT_NODES: Final = ("plan", "gather", "recommend", "propose", "await", "report")
"""The agent's own steps, in order: the nodes of `graphs/recommend.py`."""


@unique
class Process(StrEnum):
    """Where a stage runs, each with credentials of its own."""

    AGENT = "agent"
    MARKET = "market server"
    ORDERS = "orders server"
    EXECUTOR = "executor"


@unique
class Via(StrEnum):
    """How a stage is handed what it takes.

    `CALL`: in the same process, as the very value that an earlier stage gave. `MCP`: as the
    arguments or the result of a tool. `QUEUE`: as canonical JSON in a message. `JOURNAL`: as
    recorded events, folded by whoever asks.
    """

    CALL = "call"
    MCP = "MCP"
    QUEUE = "order queue"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: a function that turns what earlier stages gave into something new.

    `takes` are dotted types that an earlier stage gives, or that a field of it holds;
    `gives` is the dotted type of the result, or of the event the function records.
    """

    name: str
    function: str
    takes: tuple[str, ...]
    gives: str
    process: Process
    via: Via = Via.CALL

    @property
    def package(self) -> str:
        """Return the folder of the module that the function lives in."""
        modules = [part for part in self.function.split(".")[:-1] if part.islower()]
        return "/".join(modules[:-1])


_CORE: Final = "when_to_invest"
_SNAPSHOT: Final = f"{_CORE}.market.Snapshot"
_DAILY: Final = f"{_CORE}.features.daily.DailyBars"
_FRAME: Final = f"{_CORE}.features.risk_frame.RiskFrame"
_READINGS: Final = f"{_CORE}.features.readings.Readings"
_TREND: Final = f"{_CORE}.signals.trend.Trend"
_BREAKER: Final = f"{_CORE}.risk.market_breakers.BreakerReading"
_ASSESSMENT: Final = f"{_CORE}.decision.assessment.Assessment"
_DAY: Final = f"{_CORE}.decision.recent.Day"
_BOOK: Final = f"{_CORE}.decision.evidence.EvidenceBook"
_RECOMMENDATION: Final = f"{_CORE}.decision.recommendation.Recommendation"
_CALL: Final = "langchain_core.messages.ToolCall"
_ENTRY: Final = "agents.entry.Entry"
_PROPOSED: Final = "agents.proposals.ProposedOrder"
_INTENT: Final = f"{_CORE}.intents.OrderIntent"
_ENVELOPE: Final = f"{_CORE}.envelopes.Envelope"
_MESSAGE: Final = "ledger.queue.ReceivedMessage"
_CONTENT: Final = f"{_CORE}.envelopes.EnvelopeContent"
_SEND_INTENDED: Final = f"{_CORE}.events.SendIntended"
_FILLED: Final = f"{_CORE}.events.OrderFilled"
_RECORD: Final = f"{_CORE}.history.DecisionRecord"
_ANSWER: Final = "tool_servers.orders.answers.DecisionAnswer"

_A, _M, _O, _E = Process.AGENT, Process.MARKET, Process.ORDERS, Process.EXECUTOR

STAGES: Final = (
    Stage("plan", "agents.planner.arguments_of", (), "builtins.dict", _A),
    Stage("gather", "agents.toolbox.Toolbox.call", (_CALL,), "langchain_core.messages.ToolMessage", _A),
    Stage("observe", "market_data.source.snapshot", (), _SNAPSHOT, _M, Via.MCP),
    Stage("regularise", f"{_CORE}.features.daily.daily_bars", (_SNAPSHOT,), _DAILY, _M),
    Stage("measure", f"{_CORE}.features.risk_frame.risk_frame", (_DAILY,), _FRAME, _M),
    Stage("read", f"{_CORE}.features.readings.read_chart", (_DAILY, _FRAME), _READINGS, _M),
    Stage("recall", f"{_CORE}.models.past.recall", (_DAILY,), f"{_CORE}.models.past.Past", _M),
    Stage(
        "forecast",
        f"{_CORE}.models.fall_odds.newest_odds",
        (f"{_CORE}.models.past.Past",),
        f"{_CORE}.models.fall_odds.HorizonOdds",
        _M,
    ),
    Stage("signal", f"{_CORE}.signals.trend.read_trend", (_DAILY,), _TREND, _M),
    Stage("break", f"{_CORE}.risk.market_breakers.read_breakers", (_READINGS,), _BREAKER, _M),
    Stage("assess", f"{_CORE}.decision.assessment.assess", (_DAILY,), _ASSESSMENT, _M),
    Stage("evidence", f"{_CORE}.decision.evidence.collect", (_SNAPSHOT, _ASSESSMENT), _BOOK, _M),
    Stage(
        "weigh", f"{_CORE}.decision.sizing.size_up", (_BOOK, _BREAKER), f"{_CORE}.decision.sizing.Sizing", _M
    ),
    Stage(
        "decide",
        f"{_CORE}.decision.rules.decide",
        (f"{_CORE}.decision.rules.Case",),
        f"{_CORE}.decision.rules.Decision",
        _M,
    ),
    Stage(
        "look_back", f"{_CORE}.decision.recent.past_days", (_SNAPSHOT, f"{_CORE}.models.past.Past"), _DAY, _M
    ),
    Stage(
        "confirm",
        f"{_CORE}.decision.confirmation.confirm",
        (_DAY,),
        f"{_CORE}.decision.confirmation.Standing",
        _M,
    ),
    Stage(
        "settle",
        f"{_CORE}.decision.holdings.settle",
        (f"{_CORE}.decision.confirmation.Standing",),
        f"{_CORE}.decision.holdings.Stance",
        _M,
    ),
    Stage("recommend", f"{_CORE}.decision.recommend.recommend", (_SNAPSHOT,), _RECOMMENDATION, _M),
    Stage("propose", "agents.entry.entry_of", (_RECOMMENDATION,), _ENTRY, _A, Via.MCP),
    Stage(
        "size",
        "tool_servers.orders.proposal.intent_of",
        ("tool_servers.orders.proposal.Proposal",),
        _INTENT,
        _O,
        Via.MCP,
    ),
    Stage("facts", "policies.facts.gather_facts", (_INTENT,), "policies.facts.Facts", _O),
    Stage("judge", "policies.gate.judge", (_INTENT, "policies.facts.Facts"), f"{_CORE}.verdicts.Verdict", _O),
    Stage("seal", "policies.seal.seal", (f"{_CORE}.verdicts.Approved",), _ENVELOPE, _O),
    Stage(
        "queue", "tool_servers.orders.outbox.Outbox.relay", (_ENVELOPE,), f"{_CORE}.events.EnvelopeQueued", _O
    ),
    Stage("receive", "ledger.queue.QueueReceiver.receive", (_ENVELOPE,), _MESSAGE, _E, Via.QUEUE),
    Stage(
        "inspect",
        "executor.inspection.inspect",
        (_MESSAGE,),
        "executor.inspection.Genuine",
        _E,
    ),
    Stage("verify", "policies.verify.verify_envelope", (_ENVELOPE,), _CONTENT, _E),
    Stage("judge again", "executor.judgement.Judgement.judge", (_CONTENT,), "executor.judgement.Opinion", _E),
    Stage(
        "intend",
        "executor.sending.Dispatcher.dispatch",
        ("executor.sending.Errand",),
        _SEND_INTENDED,
        _E,
    ),
    Stage("order", "executor.sending.new_order", (_SEND_INTENDED,), "executor.venues.port.NewOrder", _E),
    Stage(
        "send",
        "executor.venues.port.send",
        ("executor.venues.port.NewOrder",),
        "executor.venues.port.Sending",
        _E,
    ),
    Stage("fill", "executor.working.Working.poll", ("executor.venues.port.VenueOrder",), _FILLED, _E),
    Stage("journal", "ledger.journal.Journal.append", (_FILLED,), "ledger.journal.Head", _E),
    Stage("fold", f"{_CORE}.history.decisions", (_FILLED,), _RECORD, _O, Via.JOURNAL),
    Stage("answer", "tool_servers.orders.answers.decision_answer", (_RECORD, _INTENT), _ANSWER, _O),
    Stage("await", "agents.proposals.proposed_order", (_ANSWER,), _PROPOSED, _A, Via.MCP),
    Stage("report", "agents.explanation.explain", (_RECOMMENDATION, _PROPOSED), "builtins.str", _A),
)
