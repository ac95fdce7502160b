"""`config.toml`, read strictly: an unknown key refuses to start and is named."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from enum import StrEnum, unique
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from home.alarms import AlarmSettings
from home.callers import CallerSettings, OAuthSettings, check_callers
from home.ledger import LedgerSettings
from home.operations import OperationsSettings
from home.paths import Home
from home.section import LimitSetting, Section
from home.signing import SigningSettings
from home.venues import PAPER, VenueSettings
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import Anchors
from when_to_invest.money import NonNegativeDecimal, PositiveDecimal
from when_to_invest.values import Address, Mode, Name


@unique
class QueueKind(StrEnum):
    """Which order queue carries the envelopes."""

    SQLITE = "sqlite"
    SQS = "sqs"


class QueueSettings(Section):
    """The order queue; `url` and `endpoint_url` belong to SQS."""

    kind: QueueKind = QueueKind.SQLITE
    url: str = ""
    endpoint_url: str | None = None
    region: str = "us-east-1"
    visibility_s: int = Field(default=30, ge=1, le=43_200)
    max_receives: int = Field(default=5, ge=1, le=1000)


class PaperSettings(Section):
    """The paper venue's costs, delay and opening cash."""

    cash_usd: PositiveDecimal = Decimal(100_000)
    fee_bps: NonNegativeDecimal = Decimal(5)
    slippage_bps: NonNegativeDecimal = Decimal(2)
    ack_delay_s: float = Field(default=0.0, ge=0.0, le=60.0)


class ServiceSettings(Section):
    """Loopback addresses of the local services; port 0 lets the system choose.

    `executor = "elsewhere"` leaves the executor out of `up`: it runs in its own container,
    or by `when-to-invest executor`.
    """

    host: Literal["127.0.0.1"] = "127.0.0.1"
    executor: Literal["local", "elsewhere"] = "local"
    market_port: int = Field(default=0, ge=0, le=65_535)
    orders_port: int = Field(default=0, ge=0, le=65_535)
    chain_port: int = Field(default=0, ge=0, le=65_535)


class AgentSettings(Section):
    """Which language model plans; none means the embedded deterministic planner."""

    model: str = "claude-sonnet-5-5"
    max_tokens: int = Field(default=2048, ge=256, le=32_768)
    max_steps: int = Field(default=24, ge=4, le=200)


@unique
class OnLoss(StrEnum):
    """What follows when an account's loss breaker trips: nothing is bought in any case."""

    STOP = "stop"
    REDUCE = "reduce"
    FLATTEN = "flatten"

    @property
    def share(self) -> Decimal:
        """Return which part of each position is sold, of 1."""
        match self:
            case OnLoss.STOP:
                return Decimal(0)
            case OnLoss.REDUCE:
                return Decimal("0.5")
            case OnLoss.FLATTEN:
                return Decimal(1)


class RiskSettings(Section):
    """What this home does by itself against a loss: `stop` buying, sell half (`reduce`), or sell all."""

    on_loss: OnLoss = OnLoss.STOP


class Settings(Section):
    """All of `config.toml`. `limits` can only tighten (`policies.limits` judges it)."""

    mode: Mode = Mode.REPLAY
    account: Name = "main"
    venue: Name = PAPER
    queue: QueueSettings = QueueSettings()
    ledger: LedgerSettings = LedgerSettings()
    paper: PaperSettings = PaperSettings()
    services: ServiceSettings = ServiceSettings()
    agent: AgentSettings = AgentSettings()
    signing: SigningSettings = SigningSettings()
    approvers: dict[Name, Address] = Field(default_factory=dict)
    limits: dict[str, LimitSetting] = Field(default_factory=dict)
    risk: RiskSettings = RiskSettings()
    alarms: AlarmSettings = AlarmSettings()
    operations: OperationsSettings = OperationsSettings()
    oauth: OAuthSettings | None = None
    callers: dict[Name, CallerSettings] = Field(default_factory=dict)
    venues: dict[Name, VenueSettings] = Field(default_factory=dict)
    """Exchanges by the name that orders and limits give them; `venue` says which one is used."""

    @model_validator(mode="after")
    def _callers_fit(self) -> Self:
        check_callers(self.callers, oauth=self.oauth)
        return self

    @model_validator(mode="after")
    def _paper_is_no_exchange(self) -> Self:
        if PAPER in self.venues:
            raise ValueError(f"the venue {PAPER!r} is ours; give the exchange another name")
        return self


def anchors_of(settings: Settings, *, seal_addresses: frozenset[str], quorum: int) -> Anchors:
    """Return whose keys this process trusts by its own configuration."""
    signing = settings.signing
    return Anchors(
        mode=settings.mode,
        chain_id=signing.chain_id,
        quorum=quorum,
        approvers=dict(settings.approvers),
        approvers_until=dict(signing.approvers_until),
        seal_addresses=seal_addresses,
        callers=frozenset(settings.callers),
    )


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _fault_of(error: ValidationError) -> Fault:
    """Name the first key that cannot be used, an unknown one before a wrong value."""
    problems = error.errors(include_url=False, include_input=False)
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            key = _where(problem["loc"])
            return Fault(
                ErrorCode.UNKNOWN_CONFIG_KEY,
                f"config.toml has the key {key!r}, which nothing reads",
                fix=f"remove {key!r} or correct its spelling",
            )
    first = problems[0]
    return Fault(
        ErrorCode.BAD_CONFIG,
        f"config.toml: {_where(first['loc'])}: {first['msg']}",
        fix="correct that value",
    )


def read_settings(home: Home) -> Settings:
    """Read and check `config.toml`; without one the defaults hold.

    Raises:
        Fault: `bad_config`, or `unknown_config_key` naming the key.
    """
    try:
        text = home.config.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(
            ErrorCode.BAD_CONFIG, "config.toml cannot be read", fix="check its permissions and encoding"
        ) from error
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Fault(
            ErrorCode.BAD_CONFIG, f"config.toml is not TOML: {error}", fix="correct the syntax there"
        ) from error
    except ValidationError as error:
        raise _fault_of(error) from error
