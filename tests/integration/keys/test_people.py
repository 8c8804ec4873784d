"""People: a token of the provider opens what its words allow, for as long as both last."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import connect

from api.__main__ import refuse_open_doors
from api.app import build_app
from api.keys.providers import ASK_EVERY, KNOWN_FOR
from core.clock import ManualClock, SystemClock
from core.errors import SettingsInvalidError
from core.settings import Settings
from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, list_audit, make_key
from tests.fixtures.apis import calling, serving
from tests.fixtures.events import chat, write_event
from tests.fixtures.oidc import EcKey, Provider, RsaKey
from tests.fixtures.waiting import eventually
from tests.integration.api.paths import INGEST
from tests.integration.api.problems import read_problem
from tests.integration.keys.test_sockets import LIVE, get_ticket, read_close, receive

KEYS = "/api/v1/keys"
STREAMS = "/api/v1/streams"


def show(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def settings(settings: Settings, provider: Provider) -> Settings:
    """Settings that name the provider."""
    return settings.model_copy(update={"oidc_issuer": provider.issuer})


@pytest.fixture
def clock() -> ManualClock:
    """The time of now, which stands still."""
    return ManualClock(SystemClock().now())


@pytest.fixture
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose clock stands still."""
    async with calling(build_app(settings, clock)) as client:
        yield client


async def read_status(client: httpx.AsyncClient, token: str, path: str = STREAMS) -> int:
    return (await client.get(path, headers=show(token))).status_code


async def test_with_a_provider_nobody_comes_in_unseen(client: httpx.AsyncClient):
    answer = await client.get(STREAMS)
    read_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_opens_what_its_words_allow(client: httpx.AsyncClient, provider: Provider):
    reader = provider.make_token(scope="openid read")
    assert await read_status(client, reader) == 200
    assert await read_status(client, reader, KEYS) == 403
    event = write_event(chat(SystemClock().now()))
    assert (await client.post(INGEST, json=[event], headers=show(reader))).status_code == 403
    sender = provider.make_token(scope="ingest")
    assert (await client.post(INGEST, json=[event], headers=show(sender))).status_code == 202
    assert await read_status(client, provider.make_token()) == 403
    assert await read_status(client, provider.make_token(aud="another", scope="read")) == 401


async def test_groups_and_streams_are_read_where_the_settings_say(
    settings: Settings, provider: Provider
):
    chosen = {
        "oidc_scopes_claim": "realm.groups",
        "oidc_grants": "watchers=read",
        "oidc_streams_claim": "streams",
    }
    token = provider.make_token(realm={"groups": ["watchers"]}, streams=["north*"])
    nowhere = provider.make_token(realm={"groups": ["watchers"]})
    async with calling(build_app(settings.model_copy(update=chosen))) as client:
        assert await read_status(client, token, f"{STREAMS}/northlight/metrics") == 404
        assert await read_status(client, token, f"{STREAMS}/south/metrics") == 403
        assert await read_status(client, token) == 403
        assert await read_status(client, nowhere, f"{STREAMS}/northlight/metrics") == 403


async def test_keys_go_on_beside_people(settings: Settings, connection: asyncpg.Connection):
    key_id, headers = await make_key(connection, "read")
    async with calling(build_app(settings)) as client:
        assert (await client.get(STREAMS, headers=headers)).status_code == 200
        await KeyStore(connection).revoke(key_id, actor=ACTOR)

        async def ask() -> int:
            return (await client.get(STREAMS, headers=headers)).status_code

        await eventually(ask, holds=lambda status: status == 401)


async def test_the_audit_log_names_the_person(
    client: httpx.AsyncClient, provider: Provider, connection: asyncpg.Connection
):
    token = provider.make_token("ana@example", scope="admin")
    made = await client.post(KEYS, json={"name": "n", "scopes": ["read"]}, headers=show(token))
    assert made.status_code == 201, made.text
    assert made.json()["created_by"] == "ana@example"
    (entry,) = await list_audit(connection)
    assert (entry["actor_name"], entry["actor_key_id"]) == ("ana@example", "person:ana@example")


async def test_a_token_ends_by_the_clock(
    client: httpx.AsyncClient, provider: Provider, clock: ManualClock
):
    token = provider.make_token(scope="read", good_for_s=60)
    assert await read_status(client, token) == 200
    clock.advance(timedelta(seconds=75))
    assert await read_status(client, token) == 401


async def test_garbage_asks_nobody(
    client: httpx.AsyncClient, provider: Provider, clock: ManualClock
):
    clock.advance(ASK_EVERY)
    asked = len(provider.asked)
    forged = provider.make_token(scope="admin")[:-8] + "AAAAAAAA"
    provider.keys["unknown"] = EcKey()
    stranger = provider.make_token(key_id="unknown", scope="read", iss="https://else")
    for token in ("eyJ.eyJ.x", "eyJ" + "a" * 9000 + ".b.c", forged, stranger):
        assert await read_status(client, token) == 401
    assert len(provider.asked) == asked


async def test_a_new_key_is_fetched_when_a_token_shows_it_and_not_too_often(
    client: httpx.AsyncClient, provider: Provider, clock: ManualClock
):
    provider.keys = {"second": RsaKey()}
    fresh = provider.make_token(key_id="second", scope="read")
    assert await read_status(client, fresh) == 401
    clock.advance(ASK_EVERY)
    assert await asyncio.gather(*(read_status(client, fresh) for _ in range(5))) == [200] * 5
    assert len(provider.asked) == 4
    provider.keys["made up"] = EcKey()
    unknown = provider.make_token(key_id="made up", scope="read")
    del provider.keys["made up"]
    clock.advance(ASK_EVERY)
    assert [await read_status(client, unknown) for _ in range(5)] == [401] * 5
    assert len(provider.asked) == 6


async def test_a_key_that_the_provider_withdrew_proves_nothing(
    client: httpx.AsyncClient, provider: Provider, clock: ManualClock
):
    old = provider.make_token(scope="read")
    provider.keys["second"] = EcKey()
    del provider.keys["first"]
    assert await read_status(client, old) == 200
    clock.advance(ASK_EVERY)
    fresh = provider.make_token(key_id="second", scope="read")
    assert await read_status(client, fresh) == 200
    assert await read_status(client, old) == 401


async def test_known_keys_stay_good_for_a_while_without_the_provider(
    client: httpx.AsyncClient, provider: Provider, clock: ManualClock
):
    token = provider.make_token(scope="read", good_for_s=2 * KNOWN_FOR.total_seconds())
    provider.status = 500
    clock.advance(KNOWN_FOR - timedelta(seconds=1))
    assert await read_status(client, token) == 200
    clock.advance(timedelta(seconds=1))
    answer = await client.get(STREAMS, headers=show(token))
    read_problem(answer, 503, "service_missing")
    assert answer.headers["Retry-After"]
    provider.status = 200
    clock.advance(ASK_EVERY)
    assert await read_status(client, token) == 200


@pytest.mark.parametrize(
    "change",
    [
        {"status": 500},
        {"document": {"issuer": "https://else"}},
        {"document": {"jwks_uri": None}},
        {"document": {"padding": "x" * 300_000}},
        {"keys": {}},
    ],
)
async def test_a_provider_that_says_the_wrong_thing_lets_nobody_in_and_keys_go_on(
    settings: Settings, provider: Provider, connection: asyncpg.Connection, change: dict[str, Any]
):
    token = provider.make_token(scope="read")
    for name, value in change.items():
        setattr(provider, name, value)
    _, headers = await make_key(connection, "read")
    async with calling(build_app(settings)) as client:
        read_problem(await client.get(STREAMS, headers=show(token)), 503, "service_missing")
        assert (await client.get(STREAMS, headers=headers)).status_code == 200


async def test_keys_that_could_be_changed_on_their_way_are_not_fetched(
    settings: Settings, provider: Provider
):
    # An address that leads here, and does not say so.
    address = provider.issuer.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 (asked, not served)
    provider.document = {"jwks_uri": f"{address}/keys"}
    async with calling(build_app(settings)) as client:
        assert await read_status(client, provider.make_token(scope="read")) == 503
    assert "/keys" not in provider.asked


async def test_a_socket_ends_with_its_token(settings: Settings, provider: Provider):
    # Most of the leeway is over too.
    token = provider.make_token(scope="read", good_for_s=-7)
    lasting = provider.make_token("eva", scope="read")
    async with (
        serving(build_app(settings)) as address,
        connect(f"ws://{address}{LIVE}", additional_headers=show(lasting)) as other,
        connect(f"ws://{address}{LIVE}", additional_headers=show(token)) as socket,
    ):
        for one in (socket, other):
            assert (await receive(one))["type"] == "connected"
        assert await read_close(socket) == 4401
        await other.send('{"type":"ping"}')
        assert (await receive(other))["type"] == "pong"


async def test_a_ticket_lets_a_person_onto_a_socket_until_the_token_ends(
    settings: Settings, provider: Provider
):
    short = provider.make_token(scope="read", good_for_s=-7)
    async with serving(build_app(settings)) as address:
        ticket = await get_ticket(address, show(provider.make_token(scope="read")))
        async with connect(f"ws://{address}{LIVE}?ticket={ticket}") as socket:
            assert (await receive(socket))["type"] == "connected"
        ticket = await get_ticket(address, show(short))
        async with connect(f"ws://{address}{LIVE}?ticket={ticket}") as socket:
            assert await read_close(socket) == 4401


async def test_without_a_provider_a_token_is_no_key(
    settings: Settings, provider: Provider, connection: asyncpg.Connection
):
    await make_key(connection, "read")
    app = build_app(settings.model_copy(update={"oidc_issuer": None}))
    async with calling(app) as client:
        assert await read_status(client, provider.make_token(scope="admin")) == 401
    assert provider.asked == []


def test_a_provider_guards_a_door_beyond_this_machine(settings: Settings):
    beyond = settings.model_copy(update={"api_host": "192.0.2.7"})
    refuse_open_doors(beyond, keys=0)
    with pytest.raises(SettingsInvalidError):
        refuse_open_doors(beyond.model_copy(update={"api_keys": "off"}), keys=0)
