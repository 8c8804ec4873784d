"""Calibrate: how many requests a second one generator can make when the answer costs nothing.

    python -m loadtest.scenarios.calibrate URL SECONDS FILE

Closed loop, with as many users as keep it busy. What a run asks for is held against this.
"""

import sys
from pathlib import Path

import gevent
import orjson
from locust import FastHttpUser, constant, task
from locust.env import Environment

USERS = 16


class Asker(FastHttpUser):
    """Asks again as soon as it is answered: not a user, but the limit of the generator."""

    wait_time = constant(0)
    fixed_count = USERS

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/", name="calibration")


def main() -> None:
    """Ask for so long, and write how many were answered in a second."""
    url, seconds, file = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    environment = Environment(user_classes=[Asker], host=url)
    runner = environment.create_local_runner()
    runner.start(USERS, spawn_rate=USERS)
    gevent.sleep(seconds)
    before = environment.stats.total.num_requests
    gevent.sleep(seconds)
    total = environment.stats.total
    rate = (total.num_requests - before) / seconds if not total.num_failures else 0.0
    runner.quit()
    part = file.with_suffix(".part")
    part.write_bytes(orjson.dumps({"rate": rate}))
    part.replace(file)


if __name__ == "__main__":
    main()
