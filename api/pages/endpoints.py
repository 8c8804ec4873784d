"""Pages: the built web page, and the files it is made of."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from api.pages.headers import SECURITY_HEADERS
from core.settings import REPOSITORY

BUILT: Final = REPOSITORY / "dashboards" / "live" / "dist"

NOT_BUILT: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Telemetra</title>
<h1>The page is not built</h1>
<p><code>make up</code> builds it; Node.js is needed for that, or comes from PyPI. The API works
without it: <a href="/docs">/docs</a>.</p></html>"""


def add_pages(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the page at ``/`` and ``/app/…``; each of its views is an address."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    @router.get("/app")
    @router.get("/app/{view:path}")
    async def read_page() -> Response:
        if not (built / "index.html").is_file():
            return HTMLResponse(NOT_BUILT, status_code=503, headers=SECURITY_HEADERS)
        # The page names its files by content: it is asked for anew, they are kept for ever.
        headers = {"Cache-Control": "no-cache", **SECURITY_HEADERS}
        return FileResponse(built / "index.html", headers=headers)

    app.include_router(router)
    app.mount("/assets", _Assets(directory=built / "assets", check_dir=False))


class _Assets(StaticFiles):
    """Files whose names change with their content."""

    def file_response(self, *args: object, **options: object) -> Response:
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers.update(SECURITY_HEADERS)
        return response
