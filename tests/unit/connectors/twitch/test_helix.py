"""Helix: tokens, pages and budgets, before a server that answers as the published API does."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fastapi import Response

from core.clock import ManualClock
from streaming.connectors.base import SourceAwayError
from streaming.connectors.twitch.helix import Helix, HelixAccess
from tests.fixtures.clients import open_client
from tests.fixtures.clocks import START
from tests.fixtures.helix_servers import CLIENT_ID, SECRET, HelixServer, make_stream


def make_access(server: HelixServer) -> HelixAccess:
    return HelixAccess(CLIENT_ID, SECRET, f"{server.url}/helix", f"{server.url}/oauth2/token")


@pytest.fixture
async def helix(helix_server: HelixServer, clock: ManualClock) -> AsyncIterator[Helix]:
    async with open_client() as http:
        yield Helix(http, make_access(helix_server), clock)


async def test_who_is_live_is_told_with_all_that_counts(helix: Helix, helix_server: HelixServer):
    helix_server.go_live(make_stream("north", id="7", viewers=48_200, title="Räid 🎉; \\o/"))
    (found,) = await helix.list_live(["north", "harbour"])
    assert (found.id, found.login, found.viewers) == ("7", "north", 48_200)
    assert (found.title, found.category) == ("Räid 🎉; \\o/", "Just Chatting")
    assert found.started_at == START - timedelta(minutes=2)


async def test_a_hundred_channels_are_asked_for_at_once(helix: Helix, helix_server: HelixServer):
    channels = [f"c{number}" for number in range(250)]
    helix_server.go_live(*(make_stream(channel, id=channel) for channel in channels))
    assert [each.login for each in await helix.list_live(channels)] == channels
    assert [len(asked) for asked in helix_server.asked] == [100, 100, 50]
    assert helix_server.tokens == 1


async def test_an_old_token_is_replaced(helix: Helix, helix_server: HelixServer):
    await helix.list_live(["north"])
    helix_server.revoke()
    helix_server.go_live(make_stream("north"))
    assert len(await helix.list_live(["north"])) == 1
    assert helix_server.tokens == 2


async def test_a_refused_secret_is_named_and_never_shown(helix: Helix, helix_server: HelixServer):
    helix_server.accepts_secret = False
    with pytest.raises(SourceAwayError, match="TWITCH_CLIENT_SECRET") as caught:
        await helix.list_live(["north"])
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(make_access(helix_server))


async def test_a_budget_that_is_used_up_is_waited_for(
    helix: Helix, helix_server: HelixServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("streaming.connectors.twitch.helix.sleep", sleep)
    reset = str(clock.now_ms() // 1000 + 20)
    helix_server.answers.append(Response(status_code=429, headers={"Ratelimit-Reset": reset}))
    helix_server.headers = {"Ratelimit-Remaining": "3", "Ratelimit-Reset": reset}
    await helix.list_live(["north"])
    helix_server.headers = {"Ratelimit-Remaining": "799", "Ratelimit-Reset": reset}
    await helix.list_live(["north"])
    await helix.list_live(["north"])
    assert pauses == [0.0, 20.0, 20.0, 0.0]


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response(status_code=503, content="away"),
        Response(content="<html>", media_type="application/json"),
        Response(content="[]", media_type="application/json"),
        Response(content='{"data": [{}]}', media_type="application/json"),
        Response(content='{"data": null}', media_type="application/json"),
    ],
)
async def test_an_answer_that_is_none_is_a_source_that_is_away(
    helix: Helix, helix_server: HelixServer, answer: Response
):
    helix_server.answers.append(answer)
    with pytest.raises(SourceAwayError):
        await helix.list_live(["north"])
    assert await helix.list_live(["north"]) == []


async def test_a_server_that_is_not_there_is_a_source_that_is_away(
    dead_port: int, clock: ManualClock
):
    url = f"http://127.0.0.1:{dead_port}"
    async with open_client() as http:
        with pytest.raises(SourceAwayError):
            await Helix(http, HelixAccess(CLIENT_ID, SECRET, url, url), clock).list_live(["north"])
