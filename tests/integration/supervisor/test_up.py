"""``telemetra up`` and its neighbours: real services, small stand-ins for our processes."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.settings import REPOSITORY
from infra.supervisor.environments import extend_environment
from infra.supervisor.identities import ProcessIdentity
from infra.supervisor.states import SupervisorRecord, read_state

API = """
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        ok = {"status": "ok"}
        self.wfile.write(json.dumps({"flow": ok, "archive": ok, "alerts": ok, "jobs": ok}).encode())
address = (os.environ["API_HOST"], int(os.environ["API_PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
FLOW = "import signal; signal.pause()"
SIMULATOR = """
import os, pathlib, signal, sys
note = pathlib.Path(os.environ["TELEMETRA_DATA_DIR"], "simulated")
note.write_text(" ".join(sys.argv[1:]) + " " + os.environ["DATABASE_URL"])
if "--once" not in sys.argv: signal.pause()
"""
MIGRATE = "import os; assert os.environ['DATABASE_URL']"
PAGE = "import sys; sys.exit('no Node here')"


@dataclass(frozen=True)
class Copy:
    """A working copy with stand-ins, and a data folder of its own."""

    root: Path
    data_dir: Path

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.open(*arguments, **env)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def open(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Begin a command."""
        own = {"TELEMETRA_DATA_DIR": str(self.data_dir), "API_PORT": "0"}
        unset = {"DATABASE_URL": "", "REDIS_URL": "", "POSTGRES_HOST": ""}
        return subprocess.Popen(
            [sys.executable, "-m", "infra.cli", *arguments],
            cwd=self.root,
            env=extend_environment(unset | own | env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def status(self) -> Any:
        """Return what `status --json` says."""
        return json.loads(self.run("status", "--json").stdout)

    def read_state(self) -> SupervisorRecord:
        """Return what the supervisor wrote."""
        state = read_state(self.data_dir)
        assert state is not None
        return state


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    root = tmp_path / "a copy"
    for folder in ("core", "infra"):
        # With what is compiled, but for what somebody is writing just now.
        shutil.copytree(
            REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns("*.pyc.*")
        )
    programs = {
        "api/__main__.py": API,
        "streaming/flow/__main__.py": FLOW,
        "streaming/archive/__main__.py": FLOW,
        "streaming/alerts/__main__.py": FLOW,
        "streaming/jobs/__main__.py": FLOW,
        "streaming/simulator/__main__.py": SIMULATOR,
        "streaming/devices/simulated/__main__.py": SIMULATOR,
        "db/migrate.py": MIGRATE,
        "infra/page_build.py": PAGE,
    }
    for name, text in programs.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in {*programs} - {"infra/page_build.py"}:
        (root / folder).with_name("__init__.py").touch()
    for name in ("streaming", "streaming/devices"):
        (root / name / "__init__.py").touch()
    made = Copy(root, tmp_path / "data of it")
    yield made
    made.run("down")


def _list_identities(state: SupervisorRecord) -> list[ProcessIdentity]:
    return [record.identity for record in state.processes if record.identity is not None]


def test_up_detached_is_seen_by_every_command_and_stopped_by_down(copy):
    up = copy.run("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert "The page was not built, the API runs without it: no Node here" in up.stdout
    status = copy.status()
    assert set(status) == {"api_url", "database_url", "redis_url", "data_dir", "processes"}
    assert set(status["processes"][0]) == {"name", "pid", "state", "restarts"}
    names = sorted(process["name"] for process in status["processes"])
    ours = ["alerts", "api", "archive", "device", "flow", "jobs"]
    assert names == [*ours, "postgres", "redis", "simulator"]
    assert {process["state"] for process in status["processes"]} == {"ready"}
    assert f"{status['api_url']}/docs" in up.stdout
    with urllib.request.urlopen(f"{status['api_url']}/readyz") as answer:  # noqa: S310
        assert answer.status == 200

    again = copy.run("up", "--detach")
    assert again.returncode == 0
    assert "already runs" in again.stdout
    assert copy.status() == status

    living = [*_list_identities(copy.read_state()), copy.read_state().identity]
    down = copy.run("down")
    assert down.returncode == 0
    stopped = [line.split()[0] for line in down.stdout.splitlines()]
    assert stopped[:2] == ["device", "simulator"]
    assert sorted(stopped[2:7]) == ["alerts", "api", "archive", "flow", "jobs"]
    assert sorted(stopped[7:9]) == ["postgres", "redis"]
    assert not any(identity.is_alive for identity in living)
    assert copy.run("status").returncode == 3


def test_simulate_finds_what_runs(copy):
    assert copy.run("up", "--detach", "--no-demo", "--no-page").returncode == 0
    status = copy.status()
    assert "simulator" not in [process["name"] for process in status["processes"]]
    assert copy.run("simulate", "--once", "--rate", "5").returncode == 0
    words = (copy.data_dir / "simulated").read_text()
    assert words == f"--once --rate 5 --url {status['api_url']} {status['database_url']}"
    doctor = copy.run("doctor")
    assert "ok   Redis keeps what it acknowledged" in doctor.stdout
    assert "licence" in doctor.stdout or "is not in the database yet" in doctor.stdout


def test_up_in_the_foreground_stops_everything_at_ctrl_c(copy):
    up = copy.open("up", "--no-page")
    assert up.stdout is not None
    assert up.stderr is not None
    with up.stdout, up.stderr:
        for line in up.stdout:
            if line.startswith("Stop "):
                break
        living = _list_identities(copy.read_state())
        assert len(living) == 9
        up.send_signal(signal.SIGINT)
        rest = up.stdout.read()
        assert up.wait() == 0
    assert "simulator stopped" in rest
    assert rest.rstrip().endswith("everything stopped")
    assert not any(identity.is_alive for identity in living)


@pytest.mark.parametrize("mode", ["--detach", "--no-demo"])
def test_a_process_that_fails_ends_up_with_its_last_words(copy, mode):
    (copy.root / "api" / "__main__.py").write_text("import sys; sys.exit('the API has a bug')")
    up = copy.run("up", "--no-page", mode)
    assert up.returncode == 1
    *words, last = up.stderr.splitlines()
    assert words == ["  the API has a bug"]
    assert last.startswith("telemetra: api ended with code 1. Its log is ")
    assert copy.run("status").returncode == 3


def test_a_port_that_was_set_and_is_taken_ends_up(copy):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        up = copy.run("up", "--detach", "--no-page", API_PORT=str(port))
    assert up.returncode == 1
    assert up.stderr.startswith(f"telemetra: API_PORT {port} is taken")
    assert up.stderr.count("\n") == 1


def test_a_database_that_does_not_answer_is_named(copy):
    up = copy.run("up", "--no-page", DATABASE_URL="postgresql://nobody:word@127.0.0.1:1/none")
    assert up.returncode == 1
    assert "postgres (DATABASE_URL) did not answer within 15 s" in up.stderr
    assert "word" not in up.stderr + up.stdout
