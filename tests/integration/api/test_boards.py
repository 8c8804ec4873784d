"""Boards: made, changed by several people, listed, hidden in part, deleted and brought back."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.boards.schemas import BoardOut, BoardPage
from core.boards import BOARDS_MAX, CHARTS_MAX
from core.errors import ConflictError
from db.boards import BoardStore
from tests.fixtures.api_keys import ACTOR, list_audit, make_key
from tests.fixtures.apis import calling
from tests.integration.api.problems import list_fields, read_problem

BOARDS = "/api/v1/boards"
RATE = {"chart_id": "c1", "kind": "chat", "stream_id": "north_live"}
CELL = {"chart_id": "c2", "kind": "channel", "stream_id": "bench-07", "channel": "cell_3"}
BESIDE = {**RATE, "chart_id": "c3", "compare": {"stream_id": "south_live"}}
ODD_NAMES = ["Łódź 🎉 «final»", "'; DROP TABLE boards; --", "a/b?c#d%2e", "<b>", "x" * 100]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "  "}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "a\x00"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"range_s": 299}, "range_s"),
    ({"range_s": 366 * 86_400 + 1}, "range_s"),
    ({"range_s": True}, "range_s"),
    ({"range_s": "7200"}, "range_s"),
    ({"charts": None}, "charts"),
    ({"charts": [{}]}, "charts.0"),
    ({"charts": [{**RATE, "kind": "hidden"}]}, "charts.0"),
    ({"charts": [{**RATE, "width": 13}]}, "charts.0.chat.width"),
    ({"charts": [{**RATE, "width": 2}]}, "charts.0.chat.width"),
    ({"charts": [{**RATE, "height": 0}]}, "charts.0.chat.height"),
    ({"charts": [{**RATE, "stream_id": "a b"}]}, "charts.0.chat.stream_id"),
    ({"charts": [{**RATE, "chart_id": ""}]}, "charts.0.chat.chart_id"),
    ({"charts": [{**RATE, "channel": "x"}]}, "charts.0.chat.channel"),
    ({"charts": [{**RATE, "title": "a\tb"}]}, "charts.0.chat.title"),
    (
        {"charts": [{**RATE, "compare": {"offset_s": 60}}]},
        "charts.0.chat.compare.EarlierTime.offset_s",
    ),
    ({"charts": [{**CELL, "channel": None}]}, "charts.0.channel.channel"),
    ({"charts": [RATE, {**CELL, "chart_id": "c1"}]}, "body"),
    ({"charts": [{**RATE, "chart_id": str(n)} for n in range(CHARTS_MAX + 1)]}, "charts"),
    ({"version": 3}, "version"),
]


async def create(client: httpx.AsyncClient, name: str = "Finals", **given: Any) -> dict[str, Any]:
    answer = await client.post(BOARDS, json={"name": name, **given})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    BoardOut.model_validate(made)
    assert answer.headers["ETag"] == f'"{made["version"]}"'
    return made


def name_path(board: dict[str, Any]) -> str:
    return f"{BOARDS}/{board['board_id']}"


def seen(board: dict[str, Any]) -> dict[str, str]:
    """The header of somebody who has read a board."""
    return {"If-Match": f'"{board["version"]}"'}


async def test_a_board_is_made_changed_deleted_and_brought_back_and_each_is_written_down(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    made = await create(client, charts=[RATE])
    assert (made["range_s"], made["created_by"]) == (7200, "everyone")
    # What is left out of a chart has its usual size, and is told.
    assert made["charts"] == [{**RATE, "compare": None, "title": None, "width": 6, "height": 2}]
    path = name_path(made)
    assert (await client.get(path)).json() == made

    wish = {"name": "Semis", "range_s": 600.0, "charts": [CELL, RATE]}
    changed = (await client.put(path, json=wish, headers=seen(made))).json()
    assert [chart["chart_id"] for chart in changed["charts"]] == ["c2", "c1"]
    assert changed["version"] > made["version"]
    assert changed["updated_at"] > made["updated_at"]
    # The answer may have been lost: asked again, with what was seen then, nothing changes.
    assert (await client.put(path, json=wish, headers=seen(made))).json() == changed

    deleted = await client.delete(path, headers=seen(changed))
    assert (deleted.status_code, deleted.json()) == (200, changed)
    for answer in (
        await client.get(path),
        await client.delete(path),
        await client.put(path, json=wish, headers=seen(changed)),
    ):
        read_problem(answer, 404, "not_found")
    back = await client.put(path, json=wish)
    assert back.json()["charts"] == changed["charts"]
    # Whoever saw it before it was gone has not seen this one.
    assert back.json()["version"] > changed["version"]

    log = await list_audit(connection)
    actions = ["board.create", "board.put", "board.delete", "board.create"]
    assert [entry["action"] for entry in log] == actions
    assert {entry["target"] for entry in log} == {made["board_id"]}
    assert [entry["before"] is None for entry in log] == [True, False, False, True]
    assert [entry["after"] is None for entry in log] == [False, False, True, False]


async def test_of_two_people_at_once_the_second_is_told_and_the_first_keeps_what_was_done(
    client: httpx.AsyncClient,
):
    made = await create(client)
    path = name_path(made)
    wishes = [{"name": name, "charts": [RATE]} for name in ("mine", "yours")]
    answers = await asyncio.gather(
        *(client.put(path, json=wish, headers=seen(made)) for wish in wishes)
    )
    first, second = sorted(answers, key=lambda answer: answer.status_code)
    problem = read_problem(second, 412, "precondition_failed")
    assert f"version {first.json()['version']}, changed by everyone" in problem["detail"]
    assert (await client.get(path)).json() == first.json()
    read_problem(await client.delete(path, headers=seen(made)), 412, "precondition_failed")
    for tag in ("7", '"x"', '"99999999999999999999"'):
        answer = await client.put(path, json={"name": "c"}, headers={"If-Match": tag})
        read_problem(answer, 412, "precondition_failed")
    assert (await client.put(path, json={"name": "c"}, headers={"If-Match": "*"})).is_success


async def test_a_name_has_any_signs_and_belongs_to_one_board(client: httpx.AsyncClient):
    made = [await create(client, name) for name in ODD_NAMES]
    for board, name in zip(made, ODD_NAMES, strict=True):
        assert (await client.get(name_path(board))).json()["name"] == name
        read_problem(await client.post(BOARDS, json={"name": name}), 409, "conflict")
    taken = await client.put(name_path(made[0]), json={"name": ODD_NAMES[1]})
    read_problem(taken, 409, "conflict")
    listed: list[str] = []
    cursor = None
    while len(listed) <= len(ODD_NAMES):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(BOARDS, params=query)).json()
        listed += [board["name"] for board in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(listed) == sorted(ODD_NAMES)
    read_problem(await client.get(BOARDS, params={"cursor": "?"}), 422, "invalid")


async def test_what_makes_no_sense_is_named_and_not_kept(client: httpx.AsyncClient):
    for given, field in WRONG:
        answer = await client.post(BOARDS, json={"name": "Finals"} | given)
        assert field in list_fields(read_problem(answer, 422, "invalid")), given
    assert (await client.get(BOARDS)).json()["data"] == []


async def test_a_full_board_is_kept_as_it_was_sent(client: httpx.AsyncClient):
    charts = [{**CELL, "chart_id": f"c{n}", "title": "é" * 100} for n in range(CHARTS_MAX)]
    made = await create(client, charts=charts)
    assert [chart["chart_id"] for chart in made["charts"]] == [one["chart_id"] for one in charts]
    page = (await client.get(BOARDS)).json()
    BoardPage.model_validate(page)
    assert page["data"] == [made]


async def test_there_are_no_more_boards_than_a_list_can_show(connection: asyncpg.Connection):
    await connection.execute(
        "INSERT INTO boards (board_id, name, range_s, charts, created_by, updated_by)"
        " SELECT 'brd_' || n, 'n' || n, 7200, '[]', 'me', 'me'"
        " FROM generate_series(1, $1::int) AS n",
        BOARDS_MAX,
    )
    store = BoardStore(connection)
    wish = {"name": "one more", "range_s": 7200, "charts": []}
    with pytest.raises(ConflictError, match="Delete one first"):
        await store.put("brd_x", wish, version=None, actor=ACTOR)
    # What is there can still be changed.
    assert (await store.put("brd_1", wish, version=None, actor=ACTOR))["name"] == "one more"


async def test_a_key_of_some_streams_sees_the_places_of_other_charts_and_changes_nothing(
    app: FastAPI, connection: asyncpg.Connection
):
    _, admin = await make_key(connection, "operate", "read")
    _, limited = await make_key(connection, "operate", "read", streams=["north*"])
    async with calling(app) as client:
        wish = {"name": "Finals", "charts": [RATE, CELL, BESIDE]}
        made = (await client.post(BOARDS, json=wish, headers=admin)).json()
        path = name_path(made)
        answers = [await client.get(where, headers=limited) for where in (path, BOARDS)]
        for answer in answers:
            board = answer.json().get("data", [answer.json()])[0]
            BoardOut.model_validate(board)
            assert board["charts"][0] == made["charts"][0]
            place = {"kind": "hidden", "width": 6, "height": 2}
            assert board["charts"][1:] == [{**place, "chart_id": name} for name in ("c2", "c3")]
            for word in ("bench", "cell_3", "south"):
                assert word not in answer.text
        for answer in (
            await client.post(BOARDS, json=wish, headers=limited),
            await client.put(path, json=wish, headers=limited),
            await client.delete(path, headers=limited),
        ):
            read_problem(answer, 403, "forbidden")
        assert (await client.get(path, headers=admin)).json() == made
