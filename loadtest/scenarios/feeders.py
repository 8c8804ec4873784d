"""Feeders: something must happen for readers and watchers to have something to see."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from locust import constant_pacing, task

from loadtest.scenarios.bodies import Template, draw_templates
from loadtest.scenarios.callers import Caller
from loadtest.scenarios.senders import PREFIX

STREAMS: Final = 10
"""A house with ten channels or benches; enough to differ, few enough to be followed."""

NAME: Final = "feed: ingest"


class Feeder(Caller):
    """One connector that feeds ten streams in turn, each at its pace.

    Not what is measured: it only keeps the streams alive. For watchers each stream gets something
    every second, which is what a live chat looks like, with one message of the minute before:
    so minutes are revised, and there is something that nobody may miss. For readers each gets
    something every ten seconds only: most benches and most chats are slow, and a dashboard that
    asks every five seconds then sees half of its answers unchanged.
    """

    fixed_count = 1
    streams: ClassVar[Sequence[str]] = ()
    templates: ClassVar[Sequence[Template]] = ()
    turns: ClassVar[Iterator[str]] = iter(())

    @task
    def feed_next(self) -> None:
        """Send one stream a body."""
        self.go_on()
        template = random.choice(self.templates)  # noqa: S311 - no secret.
        self.send(next(self.turns), template, NAME)


def prepare(kind: str, rate: float, round_s: float, seed: int) -> type[Caller]:
    """Return the class that feeds streams of a kind with a rate, all of them once a round."""
    period_s = round_s / STREAMS
    Feeder.wait_time = constant_pacing(period_s)
    Feeder.streams = [f"{PREFIX}{kind}-{number}" for number in range(STREAMS)]
    Feeder.turns = itertools.cycle(Feeder.streams)
    events = max(round(rate * period_s), 4)
    Feeder.templates = draw_templates(events, seed=seed, late=kind == "watch")
    return Feeder
