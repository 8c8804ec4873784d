"""Formats: the same rows as JSON, CSV and Arrow, whole or thinned."""

import io
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import polars as pl
import pytest

from api.metrics import schemas, service
from tests.fixtures.events import STREAM, chat
from tests.integration.api.conftest import Send
from tests.integration.api.paths import CHANNEL_METRICS, METRICS
from tests.integration.api.problems import read_problem

pytestmark = pytest.mark.usefixtures("past")

CSV: Final = "text/csv; charset=utf-8; header=present"
ARROW: Final = "application/vnd.apache.arrow.stream"
PATHS: Final = [METRICS, CHANNEL_METRICS]


async def list_rows(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are written seven rows at a time; 91 rows fill the last page."""
    monkeypatch.setattr(service, "FILE_PAGE_ROWS", 7)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("resolution", ["1m", "5m", "1h"])
async def test_csv_has_a_header_and_every_row(
    client: httpx.AsyncClient, path: str, resolution: str
):
    answer = await client.get(path, params={"format": "csv", "resolution": resolution})
    assert answer.headers["Content-Type"] == CSV
    assert "Content-Length" not in answer.headers
    rows = await list_rows(client, path, resolution=resolution)
    frame = pl.read_csv(io.BytesIO(answer.content), infer_schema_length=None)
    assert frame.columns == list(rows[0])
    for name in ("window_start", "chat_count", "avg_viewers", "mean", "unit", "final"):
        if name in frame.columns:
            assert frame[name].to_list() == [row[name] for row in rows], name


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("resolution", ["1m", "15m", "1d"])
async def test_arrow_has_every_row_and_value(client: httpx.AsyncClient, path: str, resolution: str):
    answer = await client.get(
        path, params={"resolution": resolution}, headers={"Accept": f"{ARROW}, */*;q=0.1"}
    )
    assert answer.headers["Content-Type"] == ARROW
    told = pl.read_ipc_stream(io.BytesIO(answer.content)).to_dicts()
    rows = await list_rows(client, path, resolution=resolution)
    for row in rows:
        for name in ("window_start", "window_end"):
            row[name] = datetime.fromisoformat(row[name])
    assert told == rows


async def test_a_file_has_a_name_that_says_what_it_is(client: httpx.AsyncClient):
    answer = await client.get(METRICS, params={"format": "csv", "resolution": "5m"})
    named = f'attachment; filename="{STREAM}_metrics_5m.csv"'
    assert answer.headers["Content-Disposition"] == named
    answer = await client.get(CHANNEL_METRICS, params={"format": "arrow"})
    assert answer.headers["Content-Disposition"].endswith(f'"{STREAM}_temp_1m.arrows"')


async def test_an_odd_name_makes_a_harmless_file_name(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    await send(chat(minute, stream_id="a:b@c~d"))
    answer = await client.get("/api/v1/streams/a:b@c~d/metrics?format=csv")
    assert 'filename="a-b-c-d_metrics_1m.csv"' in answer.headers["Content-Disposition"]


@pytest.mark.usefixtures("small_pages")
async def test_a_limit_holds_for_a_file_when_it_is_given(client: httpx.AsyncClient):
    for limit in (1, 7, 10):
        answer = await client.get(METRICS, params={"format": "csv", "limit": limit})
        assert len(answer.text.splitlines()) == 1 + limit


@pytest.mark.parametrize("form", ["json", None])
async def test_json_is_what_a_client_gets_that_says_nothing(
    client: httpx.AsyncClient, form: str | None
):
    for accept in ("*/*", "text/html", "application/json, text/csv", "text/csv" if form else "*/*"):
        query = {"format": form} if form else {}
        answer = await client.get(METRICS, params=query, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("form", ["csv", "arrow"])
async def test_a_file_of_an_unknown_stream_is_a_problem(client: httpx.AsyncClient, form: str):
    answer = await client.get(f"/api/v1/streams/nobody/metrics?format={form}")
    read_problem(answer, 404, "not_found")


@pytest.mark.parametrize("form", ["csv", "arrow"])
async def test_a_file_without_rows_still_names_its_columns(client: httpx.AsyncClient, form: str):
    answer = await client.get(METRICS, params={"format": form, "end": "2001-01-01T00:00:00Z"})
    read = pl.read_csv if form == "csv" else pl.read_ipc_stream
    frame = read(io.BytesIO(answer.content))
    assert (frame.height, frame.columns[3]) == (0, "chat_count")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("points", [3, 10, 40])
async def test_thinned_rows_are_rows_and_keep_the_peaks(
    client: httpx.AsyncClient, path: str, points: int
):
    rows = await list_rows(client, path)
    answer = (await client.get(path, params={"points": points, "limit": 1})).json()
    thinned = answer["data"]
    assert (answer["next_cursor"], answer["resolution"]) == (None, "1m")
    assert 1 < len(thinned) <= points
    assert [row for row in rows if row in thinned] == thinned
    low, high = ("chat_count", "chat_count") if path == METRICS else ("min", "max")
    assert min(row[low] for row in thinned) == min(row[low] for row in rows)
    assert max(row[high] for row in thinned) == max(row[high] for row in rows)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("resolution", ["1m", "5m", "15m", "1h", "1d"])
async def test_thinned_windows_are_whole_windows_at_every_resolution(
    client: httpx.AsyncClient, path: str, resolution: str
):
    rows = await list_rows(client, path, resolution=resolution)
    for points in (3, 5):
        thinned = await list_rows(client, path, resolution=resolution, points=points)
        assert [row for row in rows if row in thinned] == thinned
        assert 0 < len(thinned) <= points
        assert len(thinned) == len(rows) or len(rows) > points


async def test_more_points_than_rows_are_all_rows(client: httpx.AsyncClient):
    assert await list_rows(client, METRICS, points=2000) == await list_rows(client, METRICS)


async def test_a_thinned_range_can_be_a_file(client: httpx.AsyncClient):
    answer = await client.get(METRICS, params={"points": 12, "format": "csv"})
    thinned = await list_rows(client, METRICS, points=12)
    assert len(answer.text.splitlines()) == 1 + len(thinned)


async def test_thinning_takes_finer_rows_than_a_page_would(
    client: httpx.AsyncClient, midnight: datetime
):
    end = midnight + timedelta(days=6)
    span = {"start": midnight.isoformat(), "end": end.isoformat()}
    answer = (await client.get(METRICS, params={"points": 100, **span})).json()
    assert answer["resolution"] == "1m"


async def test_a_range_that_is_too_long_to_thin_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    for limit, status in ((90, 422), (91, 200)):
        monkeypatch.setattr(service, "THINNED_ROWS_MAX", limit)
        answer = await client.get(METRICS, params={"points": 10, "resolution": "1m"})
        assert answer.status_code == status
        if status == 422:
            assert "coarser" in read_problem(answer, 422, "invalid")["detail"]


async def test_bad_points_and_formats_are_refused(client: httpx.AsyncClient):
    for query in (
        "points=2",
        f"points={schemas.POINTS_MAX + 1}",
        "format=xml",
        "points=9&cursor=eA",
    ):
        document = read_problem(await client.get(f"{METRICS}?{query}"), 422, "invalid")
        assert document["errors"]
