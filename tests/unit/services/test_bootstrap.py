"""The environment that every command runs in."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bootstrap
from infra.bootstrap import BootstrapError, Environment, Stamp, main, translate_pip_config


@pytest.fixture
def working_copy(tmp_path: Path) -> Path:
    """A working copy with locks and nothing installed."""
    for name in (*bootstrap.LOCKS, "pyproject.toml"):
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that would change the environment, noted instead of done."""
    done: list[str] = []

    def make(self: Environment) -> None:
        (self.venv / "bin").mkdir(parents=True, exist_ok=True)
        (self.venv / "pyvenv.cfg").write_text(f"version = {sys.version.split()[0]}\n")
        self.python.unlink(missing_ok=True)
        self.python.symlink_to(sys.executable)
        done.append("make")

    monkeypatch.setattr(Environment, "_make", make)
    monkeypatch.setattr(Environment, "_install", lambda _, lock: done.append(lock.name))
    monkeypatch.setattr(Environment, "_install_project", lambda _: None)
    return done


def test_a_fresh_environment_is_made_once(working_copy: Path, steps: list[str]):
    environment = Environment(working_copy)
    environment.ensure()
    environment.ensure()
    assert steps == ["make", "requirements.lock"]


def test_a_changed_lock_is_installed_into_the_same_environment(
    working_copy: Path, steps: list[str]
):
    environment = Environment(working_copy)
    environment.ensure()
    (working_copy / "requirements.lock").write_text("# other\n")
    environment.ensure()
    assert steps == ["make", "requirements.lock", "requirements.lock"]


def test_an_environment_for_development_stays_one(working_copy: Path, steps: list[str]):
    environment = Environment(working_copy)
    environment.ensure()
    environment.ensure(bootstrap.DEV_LOCK)
    environment.ensure()
    assert steps == ["make", "requirements.lock", "requirements-dev.lock"]


def test_an_environment_with_the_peers_has_what_development_needs(
    working_copy: Path, steps: list[str]
):
    environment = Environment(working_copy)
    environment.ensure(bootstrap.DEV_LOCK)
    environment.ensure(bootstrap.BENCH_LOCK)
    environment.ensure(bootstrap.DEV_LOCK)
    environment.ensure()
    assert steps == ["make", "requirements-dev.lock", "requirements-bench.lock"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda venv: (venv / bootstrap.STAMP).unlink(),
        lambda venv: (venv / "bin/python").unlink(),
        lambda venv: (venv / "pyvenv.cfg").write_text("version = 3.9.1\n"),
        lambda venv: (venv / bootstrap.STAMP).write_text("/elsewhere/.venv\nx\ny\n"),
    ],
    ids=["interrupted", "without interpreter", "of another version", "copied from elsewhere"],
)
def test_an_unsound_environment_is_made_again(working_copy: Path, steps: list[str], spoil):
    environment = Environment(working_copy)
    environment.ensure()
    spoil(environment.venv)
    environment.ensure()
    assert steps == ["make", "requirements.lock"] * 2


def test_an_interrupted_install_leaves_no_stamp(
    working_copy: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
):
    environment = Environment(working_copy)
    environment.ensure()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Environment, "_install", interrupt)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure(bootstrap.DEV_LOCK)
    assert Stamp.read(environment.venv) is None
    assert steps == ["make", "requirements.lock"]


def test_a_missing_venv_module_is_named_with_its_package(
    working_copy: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BootstrapError, match=r"apt install python3\.1[12]-venv"):
        Environment(working_copy).ensure()


def test_where_pip_finds_packages_is_handed_to_uv():
    listed = (
        ":env:.cert='/certs/own.pem'\n"
        "global.index-url='https://global.test/simple'\n"
        "install.index-url='https://install.test/simple'\n"
        "global.find-links='/wheels /more wheels'\n"
        "global.timeout='60'\n"
    )
    assert translate_pip_config(listed) == {
        "UV_DEFAULT_INDEX": "https://install.test/simple",
        "SSL_CERT_FILE": "/certs/own.pem",
        "UV_FIND_LINKS": "/wheels,/more,wheels",
    }


def test_another_version_of_python_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(bootstrap, "VERSIONS", ((2, 7),))
    assert main([]) == 1
    assert "needs Python 3.11 or 3.12" in capsys.readouterr().err


def test_the_lock_names_uv_in_a_form_that_the_bootstrap_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    written: list[str] = []

    def read_requirement(_: Environment, *arguments: str) -> None:
        written.append(Path(arguments[-1]).read_text())

    monkeypatch.setattr(Environment, "_run_pip", read_requirement)
    lock = (bootstrap.REPOSITORY / bootstrap.LOCK).read_text()
    Environment(tmp_path)._install_uv(lock)
    (text,) = written
    assert text.startswith("uv==")
    assert text.count("--hash=sha256:") >= 10
    assert not text.rstrip().endswith("\\")


def test_a_command_that_fails_is_told_with_what_it_printed():
    with pytest.raises(BootstrapError, match="no such thing"):
        bootstrap.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])
    with pytest.raises(BootstrapError, match="/missing"):
        bootstrap.run(["/missing"])


def test_the_bootstrap_needs_nothing_but_the_standard_library():
    command = [sys.executable, "-I", "-S", str(Path(bootstrap.__file__)), "--help"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
