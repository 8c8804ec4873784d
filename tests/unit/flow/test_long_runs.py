"""Long runs: late events, repeats, poison and forty crashes, held against a recomputation."""

import random
from datetime import datetime, timedelta
from typing import Final

import pytest

from streaming.flow.shards import FlowPolicy
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, reading, transaction, viewers
from tests.fixtures.outcomes import Arrival
from tests.unit.flow.machines import Machine, assert_outcome

ENTRIES: Final = 200
EVENTS: Final = 50
CRASHES: Final = 40
STREAMS: Final = ["one", "two", "three"]
TEXTS: Final = ["hi", "great Kappa", "bad LUL LUL", "\U0001f602 nice", "not good"]


def make_event(rng: random.Random, at: datetime, name: str) -> Event:
    """Return an event of any type; one in ten is up to ten minutes late, more have an id."""
    late = rng.uniform(0, 600) if rng.random() < 0.1 else rng.uniform(0, 3)
    time = at - timedelta(milliseconds=round(late * 1000))
    stream_id = rng.choice(STREAMS)
    more = {"stream_id": stream_id, "id": name if rng.random() < 0.7 else None}
    match rng.choices(["chat", "viewers", "reading", "transaction"], [70, 5, 20, 5])[0]:
        case "chat":
            return chat(time, f"user{rng.randrange(40)}", rng.choice(TEXTS), **more)
        case "viewers":
            return viewers(time, rng.randrange(1000), **more)
        case "reading":
            return reading(time, rng.randrange(-999, 999) / 8, rng.choice(["a", "b"]), **more)
        case _:
            return transaction(
                time, rng.randrange(400) / 4, currency=rng.choice([None, "EUR"]), **more
            )


def make_arrivals(rng: random.Random) -> list[Arrival]:
    """Return entries about seven seconds apart, with a pause now and then."""
    arrivals: list[Arrival] = []
    at, named = START, list[Event]()
    for number in range(ENTRIES):
        pause = 400 if rng.random() < 0.01 else rng.uniform(0.01, 14)
        at += timedelta(milliseconds=round(pause * 1000))
        events = [make_event(rng, at, f"{number}-{place}") for place in range(EVENTS)]
        again = [rng.choice(named[-2000:]) for _ in range(EVENTS // 20) if named]
        named += [event for event in events if event["id"] is not None]
        poison = rng.randbytes(rng.randrange(200)) if rng.random() < 0.03 else None
        arrivals.append(Arrival(at, rng.sample(events + again, len(events + again)), poison))
    return arrivals


@pytest.mark.parametrize(("seed", "pace"), [(1, 2_000), (2, 3)])
def test_after_forty_crashes_every_row_equals_a_recomputation(seed: int, pace: int):
    rng = random.Random(seed)
    arrivals = make_arrivals(rng)
    policy = FlowPolicy(running_rows_a_second=pace)
    machine = Machine(arrivals, rng, policy, batch_max=8)
    tables = machine.run(crashes=CRASHES, crash_chance=0.6)
    outcome = assert_outcome(tables, arrivals)
    # The run was as bad as it was meant to be.
    assert machine.crashed == CRASHES
    assert sum(outcome.late.values()) > 100
    assert len(outcome.dead) > 2
    sent = [event for arrival in arrivals if arrival.poison is None for event in arrival.events]
    assert len(sent) - len(outcome.counted) - sum(outcome.late.values()) > 100
