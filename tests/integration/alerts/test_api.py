"""Rules, routes and deliveries through the API: what people send, see, and never see again."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.fixtures.alerts import name_moment, write_moment
from tests.fixtures.api_keys import list_audit
from tests.fixtures.receivers import Manners, Receiver
from tests.integration.alerts.conftest import Bench
from tests.integration.api.problems import read_problem

ROUTES = "/api/v1/alert-routes"
RULES = "/api/v1/alert-rules"
DELIVERIES = "/api/v1/deliveries"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
HIDDEN = ("whsec_", "hooktoken", "s3cretpass", "key=42")


async def make(client: httpx.AsyncClient, path: str, **given: Any) -> Any:
    answer = await client.post(path, json=given)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def make_route(client: httpx.AsyncClient, **given: Any) -> Any:
    usual = {"name": "on call", "kind": "webhook", "target": "https://a.example/hooktoken?key=42"}
    return await make(client, ROUTES, **{**usual, **given})


async def test_what_opens_doors_is_never_shown_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    quiet = {"days": ["sat", "sun"], "from": "00:00", "to": "00:00"}
    route = await make_route(client, secret=SECRET, quiet=quiet, rate_per_minute=6)
    assert (route["target"], route["has_secret"]) == ("https://a.example/…", True)
    assert route["quiet"] == {**quiet, "zone": "UTC"}
    mail = "mailtos://user:s3cretpass@mail.example?to=a@b.example"
    other = await make_route(client, name="mail", kind="apprise", target=mail)
    assert other["target"] == "mailtos://…"
    path = f"{ROUTES}/{route['route_id']}"
    changed = await client.patch(path, json={"target": "http://b.example:81/hooktoken2"})
    assert changed.json() == {
        **route,
        "target": "http://b.example:81/…",
        "updated_at": changed.json()["updated_at"],
    }
    assert (await client.get(path)).json() == changed.json()
    page = (await client.get(ROUTES)).json()
    assert [each["name"] for each in page["data"]] == ["mail", "on call"]
    audit = await list_audit(connection)
    assert [each["action"] for each in audit] == [
        "alert_route.create",
        "alert_route.create",
        "alert_route.update",
    ]
    assert audit[2]["after"]["replaced"] == ["target"]
    seen = str([route, other, changed.text, page, audit])
    assert [word for word in HIDDEN if word in seen] == []
    # Kept all the same, for whoever sends.
    row = await connection.fetchrow(
        "SELECT target, secret FROM alert_routes WHERE route_id = $1", route["route_id"]
    )
    assert row is not None
    assert tuple(row) == ("http://b.example:81/hooktoken2", SECRET)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"target": "ftp://a.example"}, "target"),
    ({"target": "http:///x"}, "target"),
    ({"target": "http://a.example:x"}, "target"),
    ({"kind": "alertmanager", "target": "file:///etc"}, "target"),
    ({"kind": "apprise", "target": "nonsense://x"}, "target"),
    ({"kind": "apprise", "target": "slack"}, "target"),
    ({"kind": "alertmanager", "secret": SECRET}, "secret"),
    ({"secret": "whsec_" + "A" * 33}, "secret"),
    ({"secret": "open sesame"}, "secret"),
    ({"name": "two\nlines"}, "name"),
    ({"timeout_s": 61}, "timeout_s"),
    ({"rate_per_minute": 0}, "rate_per_minute"),
    ({"quiet": {"days": [], "from": "00:00", "to": "01:00"}}, "days"),
    ({"quiet": {"days": ["mon"], "from": "24:00", "to": "01:00"}}, "from"),
    ({"quiet": {"days": ["mon"], "from": "0:00", "to": "1", "zone": "Mars"}}, "zone"),
]


async def test_a_route_that_leads_nowhere_is_refused(client: httpx.AsyncClient):
    usual = {"name": "x", "kind": "webhook", "target": "https://a.example/hooktoken"}
    for given, wrong in WRONG:
        answer = await client.post(ROUTES, json=usual | given)
        assert wrong in read_problem(answer, 422, "invalid")["detail"]
        assert "hooktoken" not in answer.text


async def test_a_rule_names_routes_that_are_there_and_keeps_them(client: httpx.AsyncClient):
    route = await make_route(client)
    missing = {"name": "a", "routes": ["rte_" + "0" * 16]}
    read_problem(await client.post(RULES, json=missing), 422, "invalid")
    rule = await make(client, RULES, name="a", routes=[route["route_id"]], types=["silence"])
    assert (rule["stream"], rule["cool_down_s"], rule["group_by"]) == ("*", 300, ["stream", "type"])
    same = {"name": "a", "routes": [route["route_id"]]}
    read_problem(await client.post(RULES, json=same), 409, "conflict")
    read_problem(await client.delete(f"{ROUTES}/{route['route_id']}"), 409, "conflict")
    path = f"{RULES}/{rule['rule_id']}"
    changed = await client.patch(path, json={"enabled": False, "schedule": None})
    assert changed.json() == rule | {
        "enabled": False,
        "updated_at": changed.json()["updated_at"],
    }
    read_problem(await client.patch(path, json={"name": None}), 422, "invalid")
    read_problem(await client.patch(path, json={"routes": []}), 422, "invalid")
    assert (await client.delete(path)).status_code == 204
    read_problem(await client.get(path), 404, "not_found")
    assert (await client.delete(f"{ROUTES}/{route['route_id']}")).status_code == 204


async def test_lists_are_read_page_by_page(client: httpx.AsyncClient):
    for name in ("c", "a", "b"):
        await make_route(client, name=name)
    names, cursor = [], None
    for _ in range(3):
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(ROUTES, params=query)).json()
        names += [each["name"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert (names, cursor) == (["a", "b", "c"], None)


async def test_deliveries_are_found_by_what_they_are_about_and_sent_again(
    client: httpx.AsyncClient, bench: Bench, receiver: Receiver
):
    route = await make_route(client, target=receiver.url)
    named = {"routes": [route["route_id"]], "group_by": [], "cool_down_s": 0}
    rule = await make(client, RULES, name="all", **named)
    receiver.manners = [Manners(404, text="no such hook")]
    for number in (1, 2):
        await write_moment(bench.connection, number)
        await bench.run(number)
    one = name_moment(1)
    for query, count in (
        ({}, 2),
        ({"state": "failed"}, 1),
        ({"moment_id": one}, 1),
        ({"rule_id": rule["rule_id"], "route_id": route["route_id"]}, 2),
        ({"rule_id": "rul_" + "0" * 16}, 0),
    ):
        assert len((await client.get(DELIVERIES, params=query)).json()["data"]) == count, query
    page = (await client.get(DELIVERIES, params={"limit": 1})).json()
    rest = await client.get(DELIVERIES, params={"limit": 1, "cursor": page["next_cursor"]})
    assert [rest.json()["data"][0]["moment_ids"], rest.json()["next_cursor"]] == [[one], None]
    (failed,) = (await client.get(DELIVERIES, params={"state": "failed"})).json()["data"]
    assert failed["reason"] == "Status 404. no such hook"
    path = f"{DELIVERIES}/{failed['delivery_id']}"
    story = (await client.get(path)).json()
    assert [each["status"] for each in story["tried"]] == [404]
    assert story["content"]["moments"][0]["moment_id"] == one
    assert (await client.post(f"{path}/retry")).json()["state"] == "queued"
    await bench.connection.execute("UPDATE deliveries SET next_at = $1", bench.clock.now())
    await bench.send()
    again = (await client.get(path)).json()
    assert (again["state"], [each["outcome"] for each in again["tried"]]) == (
        "delivered",
        ["delivered", "refused"],
    )
    assert receiver.ids[failed["delivery_id"]] == 2
    read_problem(await client.post(f"{path}/retry"), 409, "conflict")
    assert (await list_audit(bench.connection))[-1]["action"] == "delivery.retry"


async def test_a_test_button_sends_and_says_what_came_of_it(
    client: httpx.AsyncClient, bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    # Nobody sends meanwhile: it is returned as it is.
    monkeypatch.setattr("api.alert_routes.endpoints.TESTED_WITHIN_S", 0.1)
    route = await make_route(client, target=receiver.url)
    path = f"{ROUTES}/{route['route_id']}"
    test = (await client.post(f"{path}/test")).json()
    assert (test["state"], test["is_test"], test["rule_id"]) == ("queued", True, None)
    await bench.connection.execute("UPDATE deliveries SET next_at = $1", bench.clock.now())
    receiver.manners = [Manners(500)]
    await bench.send()
    done = (await client.get(f"{DELIVERIES}/{test['delivery_id']}")).json()
    # A test is tried once.
    assert (done["state"], done["reason"]) == ("failed", "Status 500.")
    (moment,) = receiver.received[0].event["data"]["moments"]
    assert moment["description"] == "This is a test of the route. Nothing is wrong."
    assert (await client.patch(path, json={"enabled": False})).status_code == 200
    read_problem(await client.post(f"{path}/test"), 409, "conflict")
    assert (await client.delete(path)).status_code == 204
    read_problem(await client.post(f"{DELIVERIES}/{test['delivery_id']}/retry"), 409, "conflict")
