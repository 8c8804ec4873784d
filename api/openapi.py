"""OpenAPI: write the description of the API to a file, for the generators of clients.

``python -m api.openapi FILE``. Nothing is connected to, and nothing has to run.
"""

import argparse
from pathlib import Path
from typing import Any, Final

import orjson

from api.app import build_app
from core.settings import Settings

NOWHERE: Final[dict[str, Any]] = {
    "database_url": "postgresql://127.0.0.1/telemetra",
    "redis_url": "redis://127.0.0.1",
    "kafka_bootstrap_servers": None,
}
"""Services that are named because the application needs their names, and never asked."""


def main() -> None:
    """Write the document, and leave the file alone when it says the same already."""
    parser = argparse.ArgumentParser(prog="python -m api.openapi", description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    app = build_app(Settings(_env_file=None, **NOWHERE))
    document = orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2)
    file.parent.mkdir(parents=True, exist_ok=True)
    # What is made from it is not made again.
    if not file.is_file() or file.read_bytes() != document:
        file.write_bytes(document)


if __name__ == "__main__":
    main()
