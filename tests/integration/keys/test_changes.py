"""Changes of keys: made, listed, rotated and revoked over HTTP, and written down."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.audit.schemas import AuditPage
from api.keys.schemas import KeyMadeOut, KeyPage
from core.errors import ConflictError
from core.keys import KEYS_MAX, make_secret
from db.api_keys import KeyStore
from tests.fixtures.api_keys import ACTOR, list_audit, make_key
from tests.fixtures.apis import calling
from tests.integration.api.paths import STREAMS
from tests.integration.api.problems import list_fields, read_problem

KEYS = "/api/v1/keys"
AUDIT = "/api/v1/audit"


@pytest.fixture
async def admin(app: FastAPI, connection: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin's key."""
    _, headers = await make_key(connection, "admin")
    async with calling(app) as client:
        client.headers.update(headers)
        yield client


async def create(client: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    answer = await client.post(KEYS, json={"name": "n", "scopes": ["read"], **given})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    made: dict[str, Any] = answer.json()
    KeyMadeOut.model_validate(made)
    return made


def show(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_is_shown_once_and_works_at_once(
    admin: httpx.AsyncClient, connection: asyncpg.Connection
):
    made = await create(admin, name=" hall ", streams=["north*"], expires_at="2099-01-01T00:00Z")
    assert (made["name"], made["scopes"], made["streams"]) == ("hall", ["read"], ["north*"])
    assert made["created_by"] == "admin"
    path = f"{STREAMS}/northlight"
    assert (await admin.get(path, headers=show(made["key"]))).status_code == 404
    listed = await admin.get(KEYS)
    KeyPage.model_validate(listed.json())
    assert listed.json()["data"][0]["key_id"] == made["key_id"]
    # Neither the list nor the database has the secret.
    assert made["key"] not in listed.text
    kept = await connection.fetchval("SELECT string_agg(k::text, '') FROM api_keys AS k")
    noted = await connection.fetchval("SELECT string_agg(a::text, '') FROM audit_log AS a")
    for text in (kept, noted):
        assert made["key"].rpartition("_")[2] not in text
    assert "digest" not in noted


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"scopes": "read"}, "scopes"),
        ({"streams": []}, "body"),
        ({"streams": ["a b"]}, "body"),
        ({"scopes": ["admin"], "streams": ["a"]}, "body"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"key": "mine"}, "key"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(
    admin: httpx.AsyncClient, given: dict[str, Any], field: str
):
    answer = await admin.post(KEYS, json={"name": "n", "scopes": ["read"], **given})
    assert list_fields(read_problem(answer, 422, "invalid")) == {field}
    assert len((await admin.get(KEYS)).json()["data"]) == 1


async def test_a_key_cannot_end_before_it_begins(admin: httpx.AsyncClient):
    given = {"name": "n", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}
    read_problem(await admin.post(KEYS, json=given), 422, "invalid")


async def test_a_rotated_key_has_another_secret_and_the_old_one_stops(admin: httpx.AsyncClient):
    made = await create(admin)
    answer = await admin.post(f"{KEYS}/{made['key_id']}/rotate")
    rotated = answer.json()
    assert (answer.status_code, rotated["key_id"]) == (200, made["key_id"])
    assert rotated["key"] != made["key"]
    assert (await admin.get(STREAMS, headers=show(made["key"]))).status_code == 401
    assert (await admin.get(STREAMS, headers=show(rotated["key"]))).status_code == 200


async def test_a_revoked_key_stops_and_stays_listed(admin: httpx.AsyncClient):
    made = await create(admin)
    path = f"{KEYS}/{made['key_id']}"
    revoked = (await admin.delete(path)).json()
    assert revoked["revoked_at"]
    assert (await admin.get(STREAMS, headers=show(made["key"]))).status_code == 401
    assert (await admin.delete(path)).json() == revoked
    read_problem(await admin.post(f"{path}/rotate"), 409, "conflict")
    listed = (await admin.get(KEYS)).json()["data"]
    assert [key["key_id"] for key in listed if key["revoked_at"]] == [made["key_id"]]


async def test_a_key_that_is_not_there_cannot_be_changed(admin: httpx.AsyncClient):
    path = f"{KEYS}/key_0123456789abcdef"
    read_problem(await admin.delete(path), 404, "not_found")
    read_problem(await admin.post(f"{path}/rotate"), 404, "not_found")
    read_problem(await admin.delete(f"{KEYS}/key_x"), 422, "invalid")


async def test_an_admin_who_revokes_the_own_key_is_out(admin: httpx.AsyncClient):
    (own,) = (await admin.get(KEYS)).json()["data"]
    assert (await admin.delete(f"{KEYS}/{own['key_id']}")).status_code == 200
    read_problem(await admin.get(KEYS), 401, "unauthorized")


async def test_every_change_is_in_the_audit_log_once(
    admin: httpx.AsyncClient, connection: asyncpg.Connection
):
    (own,) = (await admin.get(KEYS)).json()["data"]
    made = await create(admin, name="hall")
    path = f"{KEYS}/{made['key_id']}"
    await admin.post(f"{path}/rotate")
    await admin.delete(path)
    await admin.delete(path)
    await admin.post(KEYS, json={"name": ""})
    page = (await admin.get(AUDIT)).json()
    AuditPage.model_validate(page)
    rows = list(reversed(page["data"]))
    assert [row["action"] for row in rows] == [
        "key.create",
        "key.create",
        "key.rotate",
        "key.revoke",
    ]
    for row in rows[1:]:
        assert (row["target"], row["actor_key_id"]) == (made["key_id"], own["key_id"])
        assert row["after"]["name"] == "hall"
    assert rows[1]["before"] is None
    assert rows[2]["before"]["prefix"] != rows[2]["after"]["prefix"]
    assert (rows[3]["before"]["revoked_at"], bool(rows[3]["after"]["revoked_at"])) == (None, True)
    assert len(await list_audit(connection)) == 4


async def test_a_change_that_fails_leaves_neither_key_nor_entry(connection: asyncpg.Connection):
    await connection.execute("ALTER TABLE audit_log ADD CHECK (action <> 'key.create')")
    with pytest.raises(asyncpg.CheckViolationError):
        await make_key(connection, "read")
    assert await KeyStore(connection).list_keys(after=None, limit=10) == []


async def test_pages_of_keys_and_of_the_log_join_without_gaps(
    admin: httpx.AsyncClient, connection: asyncpg.Connection
):
    # All within one transaction, so that they have one and the same time.
    async with connection.transaction():
        for _ in range(6):
            await make_key(connection, "read")
    for path, name in ((KEYS, "key_id"), (AUDIT, "id")):
        found: list[object] = []
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = (await admin.get(path, params={"limit": 2, **more})).json()
            found += [row[name] for row in page["data"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(found) == len(set(found)) == 7
    for path in (KEYS, AUDIT):
        for cursor in ("x", "!!", "MTIz", "LTE"):
            answer = await admin.get(path, params={"cursor": cursor})
            assert answer.status_code in {200, 422}
        read_problem(await admin.get(f"{path}?limit=0"), 422, "invalid")


async def test_there_are_only_so_many_keys(connection: asyncpg.Connection):
    await connection.execute(
        "INSERT INTO api_keys (key_id, name, prefix, digest, scopes, created_by)"
        " SELECT n::text, 'n', n::text, decode(repeat('00', 32), 'hex'), '{read}', 'x'"
        " FROM generate_series(1, $1::integer) AS n",
        KEYS_MAX - 1,
    )
    key_id, _ = await make_key(connection, "read")
    with pytest.raises(ConflictError, match=str(KEYS_MAX)):
        await make_key(connection, "read")
    await KeyStore(connection).revoke(key_id, actor=ACTOR)
    await make_key(connection, "read")
    assert len(await KeyStore(connection).list_good()) == KEYS_MAX


async def test_the_first_key_can_be_made_while_all_is_open(client: httpx.AsyncClient):
    made = await create(client, scopes=["admin"])
    assert made["created_by"] == "everyone"
    read_problem(await client.get(STREAMS), 401, "unauthorized")
    assert (await client.get(STREAMS, headers=show(made["key"]))).status_code == 200


async def test_a_digest_of_another_length_is_not_stored(connection: asyncpg.Connection):
    secret = make_secret()
    key_id, _ = await make_key(connection, "read")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "UPDATE api_keys SET digest = $2 WHERE key_id = $1", key_id, secret.digest[:-1]
        )
