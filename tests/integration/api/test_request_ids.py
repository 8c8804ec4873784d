"""Request ids: one name for a request, in its answer, in the log, and for sockets too."""

import httpx
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from tests.fixtures.clocks import START
from tests.fixtures.events import viewers, write_event
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import INGEST


async def test_a_socket_has_a_request_id_in_its_handshake_and_in_the_log(served: str):
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with connect(f"ws://{served}/ws/live") as socket:
            assert socket.response is not None
            request_id = socket.response.headers["X-Request-ID"]
        assert request_id.startswith("req_")
        (line,) = await eventually(
            lambda: [line for line in lines if line["event"] == "socket_ended"]
        )
    assert (line["request_id"], line["path"]) == (request_id, "/ws/live")


async def test_the_time_of_each_append_is_measured(client: httpx.AsyncClient):
    def count() -> float:
        return REGISTRY.get_sample_value("telemetra_bus_append_seconds_count") or 0

    before = count()
    for _ in range(2):
        answer = await client.post(INGEST, json=[write_event(viewers(START, 1))])
        assert answer.status_code == 202
    assert count() == before + 2
