"""Connections of devices' clients: of a script that runs the newest, of its end each."""

from datetime import UTC, datetime

from api.devices.connections import DeviceConnection
from core.clock import ManualClock
from core.device_news import SCRIPT, SCRIPT_END, TOLD
from core.live import LiveMessage


def make_connection(limit: int) -> DeviceConnection:
    connection = DeviceConnection(ManualClock(datetime(2026, 1, 26, tzinfo=UTC)), limit=limit)
    connection.kinds = TOLD
    return connection


def tell(run: str, number: int, kind: str = SCRIPT) -> LiveMessage:
    return LiveMessage(
        "oven_1", kind, f"{run}/{number}", b'{"run":"%b%d"}' % (run.encode(), number)
    )


async def test_a_slow_client_gets_the_newest_of_each_run_and_every_end():
    connection = make_connection(10)
    for message in (tell("a", 1), tell("b", 1), tell("a", 2), tell("a", 3, SCRIPT_END)):
        connection.offer(message)
    for message in (tell("b", 2), tell("b", 3, SCRIPT_END)):
        connection.offer(message)
    told = [each.body for each in await connection.take() if each.kind in {SCRIPT, SCRIPT_END}]
    assert told == [b'{"run":"a2"}', b'{"run":"a3"}', b'{"run":"b2"}', b'{"run":"b3"}']


async def test_who_lets_too_many_ends_wait_is_closed_and_not_kept_in_the_dark():
    connection = make_connection(2)
    for number in range(2):
        connection.offer(tell(f"run{number}", 1, SCRIPT_END))
    assert not connection.is_too_slow
    connection.offer(tell("c", 1))
    assert not connection.is_too_slow
    connection.offer(tell("c", 2, SCRIPT_END))
    assert connection.is_too_slow
