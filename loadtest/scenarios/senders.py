"""Senders: who puts events in. Steady ones, bursty ones, and a crowd that comes all at once.

The rate is shared out: ``RATE`` events a second come from steady and bursty senders together, and
in the middle of the run a raid brings as many again into one stream.
"""

import random
import time
from collections.abc import Sequence
from typing import ClassVar, Final

import gevent
from locust import constant, constant_pacing, task

from loadtest.load.measures import STEADY, STEADY_IN_RAID
from loadtest.scenarios.bodies import Template, draw_templates
from loadtest.scenarios.callers import Caller, Pace, wait_random_phase

PREFIX: Final = "load-"
"""All streams of load runs begin so: they are easy to leave out, and to delete."""

RAID_STREAM: Final = f"{PREFIX}raid"

PERIOD_S: Final = 1.0
"""Of what seconds bodies are made."""

BURST_QUIET_S: Final = 3.0
RAID_PERIOD_S: Final = 0.25


class ScheduledSender(Caller):
    """A sender whose events come about whether or not they can be sent."""

    abstract = True
    wait_time = constant(0)
    kind: ClassVar[str]
    templates: ClassVar[Sequence[Template]] = ()
    numbers: ClassVar[list[int]] = []
    """Numbers of streams that are still free."""

    def on_start(self) -> None:
        """Take a stream, and a moment of the second."""
        self._stream_id = f"{PREFIX}{self.kind}-{self.numbers.pop()}"
        wait_random_phase(PERIOD_S)
        self._pace = Pace(PERIOD_S)

    def send_next(self, name: str) -> None:
        """Send the events of one second."""
        self._pace.take()
        template = random.choice(self.templates)  # noqa: S311 - no secret.
        self.board.facts["planned"] += template.events
        # First send, then add: another greenlet may run in between.
        taken = self.send(self._stream_id, template, name)
        self.board.facts["sent"] += template.events * taken


class SteadySender(ScheduledSender):
    """A chat connector or a test bench: it gathers for a second and sends what came.

    Six in ten senders. One request a second is what our own connectors and the usual agents do by
    default: less often makes live numbers late, more often costs requests without need. Each has
    a stream of its own, as a connector is started per channel, and sends at a moment of the
    second of its own.
    """

    kind = "steady"
    numbers: ClassVar[list[int]] = []

    def on_stop(self) -> None:
        """Own up to what was due when the run ended, and is left over."""
        left = self._pace.count_due(self.board.ended_s)
        self.board.facts["planned"] += left * self.templates[0].events

    @task
    def send_what_came(self) -> None:
        """Send one body when it is due."""
        self._pace.wait()
        self.go_on()
        self.send_next(STEADY_IN_RAID if self.board.is_raid_on else STEADY)


class BurstySender(ScheduledSender):
    """A gateway behind a poor link: silent for some seconds, then everything at once.

    Two in ten senders. Mobile links and field gateways drop for seconds; what they stored
    meanwhile comes in bodies back to back, as fast as they are answered. Quiet times are drawn
    from an exponential law with a mean of three seconds, cut at four times that. On average such
    a sender sends as much as a steady one.
    """

    kind = "bursty"
    numbers: ClassVar[list[int]] = []

    @task
    def send_what_was_stored(self) -> None:
        """Be silent, then send a body for each second of silence."""
        quiet_s = min(random.expovariate(1 / BURST_QUIET_S), 4 * BURST_QUIET_S)
        self._be_silent(quiet_s)
        for _ in range(self._pace.count_due()):
            self.send_next("ingest: bursty")

    def _be_silent(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.go_on()
            gevent.sleep(0.1)


class RaidSender(Caller):
    """A part of a crowd that arrives in one stream within a second, and leaves again.

    Two in ten senders, silent but for the middle three tenths of the run. A raid brings hundreds
    or thousands of people who all say something at once; what makes it hard is that everything
    goes into one stream, so to one shard. Together they send as much as all others, in four small
    bodies a second each: many doors, one room.
    """

    wait_time = constant_pacing(RAID_PERIOD_S)
    templates: ClassVar[Sequence[Template]] = ()

    @task
    def shout(self) -> None:
        """Send one small body while the raid lasts."""
        self.go_on()
        if not self.board.is_raid_on:
            return
        template = random.choice(self.templates)  # noqa: S311 - no secret.
        taken = self.send(RAID_STREAM, template, "ingest: raid")
        self.board.facts["raid_sent"] += template.events * taken


def prepare(users: int, rate: float, seed: int) -> list[type[Caller]]:
    """Share users and rate out among the classes, and return the classes."""
    raiders = max(round(users * 0.2), 1)
    bursty = max(round(users * 0.2), 1)
    steady = max(users - raiders - bursty, 1)
    body = max(round(rate * PERIOD_S / (steady + bursty)), 1)
    shout = max(round(rate * RAID_PERIOD_S / raiders), 1)
    SteadySender.fixed_count, BurstySender.fixed_count = steady, bursty
    RaidSender.fixed_count = raiders
    SteadySender.templates = BurstySender.templates = draw_templates(body, seed=seed)
    RaidSender.templates = draw_templates(shout, seed=seed + 1)
    SteadySender.numbers, BurstySender.numbers = list(range(steady)), list(range(bursty))
    return [SteadySender, BurstySender, RaidSender]


def list_streams() -> list[str]:
    """Return the streams that are sent to."""
    steady = [f"{PREFIX}steady-{number}" for number in range(SteadySender.fixed_count)]
    bursty = [f"{PREFIX}bursty-{number}" for number in range(BurstySender.fixed_count)]
    return [*steady, *bursty, RAID_STREAM]
