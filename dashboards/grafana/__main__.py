"""Write the dashboards and the rules of Grafana.

python -m dashboards.grafana                                 what is kept in infra/grafana
python -m dashboards.grafana --check                         whether that is current
python -m dashboards.grafana --page https://… --to FOLDER    for another place of the live page
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from core.settings import REPOSITORY
from dashboards.grafana import alerts, devices, overview, platform, stream
from dashboards.grafana.variables import PAGE

KEPT: Final = REPOSITORY / "infra" / "grafana"
RULES: Final = Path("provisioning", "alerting", "telemetra.json")
DASHBOARDS: Final = {
    "overview": overview.build,
    "stream": stream.build,
    "platform": platform.build,
    "devices": devices.build,
}


def render(page_url: str = PAGE) -> dict[Path, str]:
    """Return the text of each file, by where it lies."""
    files = {
        Path("dashboards", f"{name}.json"): _write(build(page_url))
        for name, build in DASHBOARDS.items()
    }
    return files | {RULES: _write(alerts.build())}


def find_old(folder: Path, files: dict[Path, str]) -> list[Path]:
    """Return which files are missing, or are not what they should be."""
    return [
        path
        for path, text in files.items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
    ]


def _write(thing: Any) -> str:  # noqa: ANN401 - whatever the encoder of the library takes.
    return json.dumps(thing, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the files, or look whether they are current."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.grafana", description=__doc__)
    parser.add_argument("--page", default=PAGE, help="where browsers find the live page")
    parser.add_argument("--to", type=Path, default=KEPT, help="folder to write into")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is old")
    arguments = parser.parse_args()
    files = render(arguments.page.rstrip("/"))
    old = find_old(arguments.to, files)
    if arguments.check:
        for path in old:
            sys.stdout.write(f"{path} is old; run `make dashboards`\n")
        return 1 if old else 0
    for path in old:
        (arguments.to / path).parent.mkdir(parents=True, exist_ok=True)
        (arguments.to / path).write_text(files[path], encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
