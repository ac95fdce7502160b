"""Sets up what watches a running executor: figures, traces, alerts and health.

Stage: assembly. All of it listens and looks; should any of it fail, it is said once and trading goes
on, while the health endpoint, no longer fed, turns red by itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from executor.alerts.announcer import Announcer, Channel, Patience
from executor.alerts.notice import Phase
from executor.alerts.triggers import notice_of, notice_of_alarm
from executor.health import STARTED, Health, sources_of
from executor.health_check import FILE
from executor.health_server import HealthServer
from executor.log import Log, Said
from executor.quality.watch import Watch
from executor.redaction import secrets_of
from executor.telemetry.emf import EmfMetrics
from executor.telemetry.instruments import Instruments, count_lines
from executor.telemetry.port import NoTelemetry, Telemetry
from home.alarms import WINDOW_S
from home.operations import OperationsSettings
from home.settings import Settings, read_settings
from home.tracing import NoTracer, open_tracer
from when_to_invest.errors import Fault

if TYPE_CHECKING:
    from executor.service import Parts, Service
    from home.paths import Home
    from when_to_invest.history import DecisionRecord

ALARMS_EVERY_S: Final = 5.0
MOST_TOUCHED: Final = 2000
SECRET_VARIABLE: Final = "WHEN_TO_INVEST_ALERT_SECRET"  # noqa: S105 - a name, not a secret


@dataclass(slots=True)
class Observers:
    """Everything that listens to one executor."""

    home: Home
    settings: Settings
    telemetry: Telemetry
    announcer: Announcer
    log: Log
    has_recovered: bool = False
    _touched: OrderedDict[str, float] = field(default_factory=OrderedDict)
    """Decisions that the log spoke of, and when: rejected ones are neither open nor may trade late."""

    def of(self, parts: Parts) -> Parts:
        """Return `parts` with the telemetry that is configured."""
        return replace(parts, telemetry=self.telemetry)

    def heard(self, said: Said) -> None:
        """Take note of a line of the log."""
        if said.event == STARTED:
            self.has_recovered = True
        if decision_id := said.text("decision_id"):
            self._touched[decision_id] = time.monotonic()
            self._touched.move_to_end(decision_id)
            if len(self._touched) > MOST_TOUCHED:
                self._touched.popitem(last=False)
        if (notice := notice_of(said)) is not None:
            self.announcer.tell(notice)

    @asynccontextmanager
    async def watching(
        self, service: Service, parts: Parts, *, is_needed: bool = True
    ) -> AsyncIterator[None]:
        """Answer for the executor's health and look for abnormal execution while the block runs.

        Raises:
            Fault: `port_busy`.
        """
        if not is_needed:
            yield
            return
        health = Health(sources_of(service, parts, has_recovered=lambda: self.has_recovered), time.monotonic)
        operations = self.settings.operations
        server = HealthServer(health).open(
            operations.health_host, operations.health_port, told_in=self.home.run / FILE
        )
        async with server:
            tasks = [
                _begun(health.keep_looking(), log=parts.log),
                _begun(self._look_for_alarms(parts), log=parts.log),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _lately(self, parts: Parts) -> list[DecisionRecord]:
        """Return what is open, and what the log spoke of as far back as an alarm looks."""
        since_s = time.monotonic() - WINDOW_S
        while self._touched and next(iter(self._touched.values())) < since_s:
            self._touched.popitem(last=False)
        found = {record.decision_id: record for record in parts.diary.open_decisions()}
        for decision_id in self._touched:
            record = parts.diary.decisions.get(decision_id)
            if record is not None:
                found[decision_id] = record
        return list(found.values())

    async def _look_for_alarms(self, parts: Parts) -> None:
        watch = Watch(self.settings.alarms)
        while True:
            await asyncio.sleep(ALARMS_EVERY_S)
            try:
                now = parts.diary.now()
            except Fault:
                continue  # without a clock nothing has an age; the clock's own trouble is told elsewhere
            news = watch.look(self._lately(parts), now=now)
            for alarm in news.begun:
                self.announcer.tell(notice_of_alarm(alarm, phase=Phase.RAISED, now=now))
                parts.log.say("alarm_raised", at=now, kind=alarm.kind.value, scope=alarm.scope)
            for alarm in news.over:
                self.announcer.tell(notice_of_alarm(alarm, phase=Phase.OVER, now=now))
                parts.log.say("alarm_over", at=now, kind=alarm.kind.value, scope=alarm.scope)


def _begun(work: Coroutine[Any, Any, None], *, log: Log) -> asyncio.Task[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.say("observer_ended", kind=type(error).__name__)

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    return task


@contextmanager
def observers_of(home: Home, *, environment: Mapping[str, str] | None = None) -> Iterator[Observers]:
    """Yield what listens to the executor of `home`, and let it tell the rest at the end.

    Raises:
        Fault: `bad_config`; nothing was started.
    """
    environment = os.environ if environment is None else environment
    settings = read_settings(home)
    channels = _channels(settings.operations, environment)
    tracer = open_tracer("executor", environment=environment)
    metrics = EmfMetrics() if settings.operations.metrics == "emf" else None
    telemetry: Telemetry = NoTelemetry()
    if metrics is not None or not isinstance(tracer, NoTracer):
        telemetry = Instruments(metrics or NoTelemetry(), tracer)
    announcer = Announcer(
        channels,
        quiet_s=settings.operations.quiet_s,
        telemetry=telemetry,
        patience=Patience(jitter=random.SystemRandom().random),
    )
    log = Log(secrets=secrets_of(environment))
    observers = Observers(home, settings, telemetry, announcer, log)
    log.listen(count_lines(telemetry))
    log.listen(observers.heard)
    if metrics is not None:
        metrics.start(every_s=settings.operations.metrics_every_s)
    try:
        yield observers
    finally:
        announcer.close()
        if metrics is not None:
            metrics.close()


def _channels(settings: OperationsSettings, environment: Mapping[str, str]) -> list[Channel]:
    """Return the configured ways to reach people; the log is always one."""
    channels: list[Channel] = []
    if settings.webhook_url:
        from executor.alerts.webhook import Webhook

        channels.append(Webhook(settings.webhook_url, secret=environment.get(SECRET_VARIABLE, "")))
    if settings.sns_topic_arn:
        from executor.alerts.sns import open_topic

        channels.append(open_topic(settings))
    return channels
