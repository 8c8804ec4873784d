"""The start: beyond this machine the API listens only where a key guards it."""

import asyncpg
import pytest

from api.__main__ import count_keys, refuse_open_doors
from core.errors import SettingsInvalidError
from core.settings import Settings
from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, make_key
from tests.fixtures.settings import make_settings

BEYOND = "192.168.1.7"


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        ({}, 1),
        ({"api_keys": "required"}, 1),
        ({"api_keys": "required"}, None),
        ({"api_open": True}, 0),
        ({"api_open": True, "api_keys": "off"}, None),
    ],
)
def test_a_key_or_a_trusted_network_lets_it_start(chosen: dict[str, object], keys: int | None):
    refuse_open_doors(make_settings(api_host=BEYOND, **chosen), keys)


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        ({}, 0),
        ({}, None),
        ({"api_keys": "required"}, 0),
        ({"api_keys": "off"}, 1),
    ],
)
def test_without_a_key_that_is_asked_for_it_does_not_start(
    chosen: dict[str, object], keys: int | None
):
    with pytest.raises(SettingsInvalidError, match="telemetra keys create"):
        refuse_open_doors(make_settings(api_host=BEYOND, **chosen), keys)


async def test_only_good_keys_count(settings: Settings, connection: asyncpg.Connection):
    assert await count_keys(settings) == 0
    key_id, _ = await make_key(connection, "read")
    assert await count_keys(settings) == 1
    await KeyStore(connection).revoke(key_id, actor=ACTOR)
    assert await count_keys(settings) == 0


async def test_where_nobody_can_tell_the_count_is_unknown(
    dead_database_url: str, empty_database_url: str
):
    for url in (dead_database_url, empty_database_url):
        assert await count_keys(make_settings(database_url=url)) is None
