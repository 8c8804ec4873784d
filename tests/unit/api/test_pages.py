"""Pages: what a browser is told with them."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.pages.endpoints import add_pages


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as the build leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "index.js").write_text("1")
    return tmp_path


async def get(folder: Path, path: str) -> httpx.Response:
    app = FastAPI()
    add_pages(app, folder)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["/", "/app", "/app/streams/a", "/assets/index.js"])
async def test_the_page_runs_its_own_scripts_only_and_in_no_frame(built: Path, path: str):
    answer = await get(built, path)
    assert answer.status_code == 200
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in policy["style-src"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"


async def test_the_page_is_asked_for_anew_and_its_files_are_kept(built: Path):
    assert (await get(built, "/")).headers["Cache-Control"] == "no-cache"
    assert "immutable" in (await get(built, "/assets/index.js")).headers["Cache-Control"]


async def test_a_page_that_is_not_built_is_guarded_too(tmp_path: Path):
    answer = await get(tmp_path, "/")
    assert answer.status_code == 503
    assert "Content-Security-Policy" in answer.headers
