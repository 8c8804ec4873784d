"""The composition: what may run, as whom, and who can reach it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import PurePosixPath
from typing import Final

import pytest

from api.__main__ import refuse_open_doors
from core.settings import REPOSITORY, VERSION, Settings
from core.settings_connectors import ConnectorSettings
from tests.unit.deployment.compositions import (
    COMPOSE,
    INFRA,
    SECRETS,
    UnsetError,
    interpolate,
    read_environment,
    read_our_services,
    read_services,
    read_yaml,
)

CONNECTORS: Final = {"twitch", "kafka", "mqtt"}
SERVICES: Final = read_services()
OURS: Final = read_our_services()

PINNED: Final = re.compile(r"[a-z0-9]+(/[a-z0-9-]+)?:v?\d+\.\d+\.\d+(-[a-z0-9.]+)?")
"""A plain image name and a whole version, perhaps with the edition behind it."""

IN_THE_IMAGE: Final = {"TELEMETRA_DATA_DIR", "LOG_FORMAT"}
PLACES: Final = {"DATABASE_URL", "POSTGRES_PORT"}
"""Other ways to name the database, or what has the right default."""

every_service = pytest.mark.parametrize("name", SERVICES)
our_services = pytest.mark.parametrize("name", OURS)


def test_the_composition_holds_what_the_platform_consists_of():
    always = {"migrate", "api", "flow", "archive", "alerts", "jobs"}
    assert set(OURS) == {*always, "simulator", "device", *CONNECTORS}
    others = {"timescaledb", "redis", "prometheus", "alertmanager", "grafana"}
    assert set(SERVICES) - set(OURS) == others


@every_service
def test_an_image_is_pinned_to_a_whole_version(name):
    assert PINNED.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize(
    "image", ["redis", "redis:latest", "redis:8", "redis:8-trixie", "a.b/c:1.2.3"]
)
def test_an_image_that_may_change_under_its_name_is_not_pinned(image):
    assert PINNED.fullmatch(image) is None


def test_our_image_carries_the_version_of_the_sources():
    assert {service["image"] for service in OURS.values()} == {f"telemetra:{VERSION}"}


@every_service
def test_a_service_is_asked_for_its_health_or_ends_by_itself(name):
    service = SERVICES[name]
    if name == "migrate":
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}


@every_service
def test_a_service_waits_for_health_or_for_an_end_and_never_for_a_mere_start(name):
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other == "migrate" else "service_healthy"
        assert wait == {"condition": wanted}


@pytest.mark.parametrize("name", ["api", "flow", "archive", "alerts", "jobs"])
def test_what_uses_the_tables_starts_after_the_migration(name):
    assert SERVICES[name]["depends_on"].keys() == {"timescaledb", "redis", "migrate"}


@every_service
def test_a_service_runs_without_root_and_without_any_privilege(name):
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    forbidden = {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode"}
    assert not service.keys() & forbidden


@every_service
def test_a_service_writes_into_volumes_and_memory_only(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert any(place.startswith("/tmp:") for place in service["tmpfs"])  # noqa: S108 - in a container.


@every_service
def test_a_service_has_limits_on_everything(name):
    service = SERVICES[name]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert all("size=" in place for place in service["tmpfs"])


@every_service
def test_a_port_is_published_on_loopback_only(name):
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", interpolate(port, {}))


def test_database_and_redis_are_not_published_and_lie_in_a_network_without_a_way_out():
    for name in ("timescaledb", "redis"):
        assert "ports" not in SERVICES[name]
        assert SERVICES[name]["networks"] == ["data"]
    assert read_yaml(COMPOSE)["networks"]["data"] == {"internal": True}


def test_every_named_volume_is_declared_and_every_declared_one_is_used():
    sources = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    ]
    named = [source for source in sources if not source.startswith(".")]
    assert sorted(set(named)) == sorted(read_yaml(COMPOSE)["volumes"])
    # The API writes what the jobs read.
    assert {name for name in named if named.count(name) > 1} == {"uploads"}


def test_every_file_that_is_mounted_exists_and_is_mounted_read_only():
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    bound = [mount.split(":") for mount in mounts if mount.startswith(".")]
    assert bound
    for source, _, mode in bound:
        assert (INFRA / source).exists()
        assert mode == "ro"


@pytest.mark.parametrize("missing", SECRETS)
def test_a_password_that_is_not_set_stops_everything(missing):
    document = json.dumps(SERVICES)
    interpolate(document, SECRETS)
    rest = {name: text for name, text in SECRETS.items() if name != missing}
    with pytest.raises(UnsetError, match=missing):
        interpolate(document, rest)
    with pytest.raises(UnsetError, match=missing):
        interpolate(document, rest | {missing: ""})


def test_no_password_is_written_into_the_file():
    for service in SERVICES.values():
        for name, text in service.get("environment", {}).items():
            # Without a text it is what the machine says.
            if re.search("PASSWORD|AUTH|REDIS_URL", name) and text is not None:
                assert re.search(r"\$\{\w+_PASSWORD:\?", text)


@our_services
def test_every_name_in_our_environment_is_a_setting(name):
    known = {field.upper() for field in Settings.model_fields}
    assert set(OURS[name]["environment"]) <= known


def test_every_setting_reaches_api_flow_archive_alerts_and_jobs():
    known = {field.upper() for field in Settings.model_fields}
    # Who serves has no use for the key of those who send, nor for the role that is made before.
    others = {"API_KEY", "READER_PASSWORD"}
    elsewhere = IN_THE_IMAGE | PLACES | others | {*map(str.upper, ConnectorSettings.model_fields)}
    own = {
        "api": {"API_OPEN", "API_PORT"},
        "flow": {"FLOW_METRICS_PORT"},
        "archive": {"ARCHIVE_METRICS_PORT"},
        "alerts": {"ALERTS_METRICS_PORT"},
        "jobs": {"JOBS_METRICS_PORT"},
    }
    shared = known - elsewhere - set().union(*own.values())
    for name, alone in own.items():
        # Who alerts has no use for Redis.
        unused = {"REDIS_URL"} if name == "alerts" else set()
        assert set(OURS[name]["environment"]) == (shared | alone) - unused


@our_services
def test_our_environment_makes_valid_settings(name, monkeypatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for key, text in read_environment(OURS[name]).items():
        monkeypatch.setenv(key, text)
    settings = Settings(_env_file=None)  # type: ignore[call-arg,unused-ignore]
    if name == "api":
        refuse_open_doors(settings)
    if name not in {"simulator", "device", *CONNECTORS}:
        assert settings.require_database_url() == (
            f"postgresql://telemetra:{SECRETS['POSTGRES_PASSWORD']}@timescaledb:5432/telemetra"
        )


@our_services
def test_our_command_names_a_module_that_can_be_run(name):
    module = REPOSITORY / PurePosixPath(OURS[name]["command"][0].replace(".", "/"))
    assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()


def test_the_database_has_the_role_and_the_name_that_our_processes_ask_for():
    names = ("POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD")
    server = SERVICES["timescaledb"]["environment"]
    for service in ("migrate", "api", "flow", "archive", "alerts", "jobs"):
        assert [OURS[service]["environment"][name] for name in names] == [
            server[name] for name in names
        ]


def test_redis_keeps_what_was_acknowledged_and_evicts_only_what_expires():
    command = SERVICES["redis"]["command"][-1]
    for option in (
        "--appendonly yes",
        "--appendfsync always",
        "--maxmemory-policy volatile-ttl",
        "--requirepass",
    ):
        assert option in command


def test_a_health_check_asks_the_port_that_the_process_listens_on():
    ports = {
        "api": "API_PORT",
        "flow": "FLOW_METRICS_PORT",
        "archive": "ARCHIVE_METRICS_PORT",
        "alerts": "ALERTS_METRICS_PORT",
        "jobs": "JOBS_METRICS_PORT",
        **dict.fromkeys(CONNECTORS, "CONNECTOR_METRICS_PORT"),
    }
    for name, setting in ports.items():
        url = OURS[name]["healthcheck"]["test"][-1]
        assert f"http://127.0.0.1:{OURS[name]['environment'][setting]}/" in url


@pytest.mark.parametrize("name", ["flow", "archive", "twitch"])
def test_what_has_to_last_lies_in_a_volume(name):
    assert f"{name}:/data" in OURS[name]["volumes"]
    assert not any(place.startswith("/data") for place in OURS[name]["tmpfs"])


def test_compose_itself_accepts_the_file():
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("the docker client is not on the PATH")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the docker client has no compose plugin")
    done = subprocess.run(
        [docker, "compose", "--file", str(COMPOSE), "--profile", "demo", "config", "--quiet"],
        env={"PATH": os.defpath, **SECRETS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
