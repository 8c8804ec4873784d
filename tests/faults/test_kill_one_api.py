"""One of two API processes is killed: its clients go on at the other, and nobody misses any."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from loadtest.bench.push.returns import Company, kill_among
from loadtest.bench.push.servers import run_api
from loadtest.bench.servers import run_servers


def test_clients_of_a_killed_api_go_on_at_the_other_without_a_gap(tmp_path: Path) -> None:
    with run_servers(tmp_path / "two") as servers, ExitStack() as stack:
        apis = [stack.enter_context(run_api(servers, name)) for name in ("one", "two")]
        doors = [(api.door.host, api.door.port) for api in apis]
        company = Company(sockets=10, event_streams=10, messages=200)
        found = asyncio.run(kill_among(apis[0].process, doors, servers.redis_url, company))
    assert found.faults == []
    assert found.moments == 40
    # Connections were shared out in turn.
    assert found.came_back == 10
