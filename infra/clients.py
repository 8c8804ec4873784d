"""Clients: make the typed clients of the API from its own description (``make clients``).

    api.openapi -> build/clients/openapi.json -> openapi-python-client -> build/clients/python

``build/clients/python`` is a package that pip installs, ``telemetra_client``. The types of the page
are made from the same document by ``npm run types``. Nothing of either is committed.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from core.errors import TelemetraError
from core.settings import REPOSITORY, VERSION

OUTPUT: Final = REPOSITORY / "build" / "clients"
PACKAGE: Final = "telemetra_client"

JSON: Final = "application/json"
ENDLESS: Final = "/sse/"
"""Event streams go on for as long as somebody listens."""

GENERATOR: Final = {
    "project_name_override": "telemetra-client",
    "package_name_override": PACKAGE,
    "literal_enums": True,
    # Protocols with clients of their own: ours hands on bytes.
    "content_type_overrides": {
        "application/x-protobuf": "application/octet-stream",
        "text/plain": "application/octet-stream",
    },
    # What it makes is read by programs and by editors, which need no formatting.
    "post_hooks": [],
}

PROJECT: Final = f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "telemetra-client"
version = "{VERSION}"
description = "The typed client of Telemetra's API, made from its description."
requires-python = ">=3.11"
dependencies = ["attrs", "httpx"]

[tool.hatch.build.targets.wheel]
packages = ["{PACKAGE}"]
"""


class ClientsError(TelemetraError):
    """The clients cannot be made."""

    code = "clients"
    title = "The clients cannot be made"


def make_clients(output: Path) -> Path:
    """Make the clients in a folder, and return that of the Python package.

    Raises:
        ClientsError: The description could not be written, or the generator refused it.
    """
    python = output / "python"
    shutil.rmtree(python, ignore_errors=True)
    python.mkdir(parents=True)
    document, settings = output / "openapi.json", output / "generator.json"
    settings.write_bytes(orjson.dumps(GENERATOR))
    run([sys.executable, "-m", "api.openapi", str(document)])
    document.write_bytes(orjson.dumps(simplify(orjson.loads(document.read_bytes()))))
    generator = Path(sys.executable).with_name("openapi-python-client")
    run(
        [
            *(str(generator), "generate", "--meta", "none", "--overwrite", "--fail-on-warning"),
            *("--path", str(document), "--config", str(settings)),
            *("--output-path", str(python / PACKAGE)),
        ]
    )
    (python / PACKAGE / "py.typed").touch()
    (python / "pyproject.toml").write_text(PROJECT)
    return python


def simplify(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a function that is called and returns is no use for, and files beside JSON."""
    document["paths"] = {
        path: item for path, item in document["paths"].items() if not path.startswith(ENDLESS)
    }
    for item in document["paths"].values():
        for operation in item.values():
            for body in (operation.get("requestBody", {}), operation["responses"].get("200", {})):
                content = body.get("content", {})
                if JSON in content:
                    body["content"] = {JSON: content[JSON]}
    return document


def run(command: Sequence[str]) -> None:
    """Run a command from the repository.

    Raises:
        ClientsError: It failed; the text has what it printed.
    """
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClientsError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def main() -> int:
    """Make the clients and say where they lie."""
    parser = argparse.ArgumentParser(prog="python -m infra.clients", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to (%(default)s)")
    output: Path = parser.parse_args().output
    try:
        python = make_clients(output.resolve())
    except ClientsError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    sys.stdout.write(f"pip install {python}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
