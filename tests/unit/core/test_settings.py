"""Settings: a wrong value names its field and what is allowed."""

from pathlib import Path

import pytest

from core.errors import SettingsInvalidError
from core.settings import REPOSITORY, Settings, load_settings
from tests.fixtures.settings import make_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment of the developer nor a ``.env`` of theirs."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("API_PORT", "70000", "less than or equal to 65535"),
        ("API_PORT", "http", "valid integer"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LOG_FORMAT", "xml", "'auto', 'console' or 'json'"),
        ("BUS_SHARDS", "0", "greater than or equal to 1"),
        ("DB_POOL_MAX_SIZE", "-1", "greater than or equal to 1"),
        ("API_OPEN", "perhaps", "valid boolean"),
        ("OIDC_ISSUER", "http://id.example", "begins with https://"),
        ("OIDC_GRANTS", "ops=write", "'write' is none of read, ingest, operate, admin"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "begins with http"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "'parentbased_traceidratio'"),
        ("LIVE_INTERVAL_MS", "1", "greater than or equal to 50"),
        ("API_TITLE", "", "at least 1 character"),
    ],
)
def test_a_wrong_value_names_its_field_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalidError) as caught:
        load_settings()
    assert [error.field for error in caught.value.errors] == [name]
    assert allowed in caught.value.detail
    assert caught.value.detail.endswith("See .env.example.")


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_PORT", "-1")
    monkeypatch.setenv("BUS_SHARDS", "many")
    with pytest.raises(SettingsInvalidError) as caught:
        load_settings()
    assert {error.field for error in caught.value.errors} == {"API_PORT", "BUS_SHARDS"}


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_PORT", "hunter2")
    with pytest.raises(SettingsInvalidError) as caught:
        load_settings()
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("http://a", ("http://a",)),
        (" http://a , ,https://b:8443,", ("http://a", "https://b:8443")),
    ],
)
def test_a_list_is_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, origins: tuple[str, ...]
):
    monkeypatch.setenv("CORS_ORIGINS", text)
    assert load_settings().cors_origins == origins


def test_a_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".env").write_text("API_PORT=9001\nLOG_LEVEL=debug\nAPI_TITLE='Zoë & co'\n")
    monkeypatch.setenv("API_PORT", "9002")
    settings = load_settings()
    assert (settings.api_port, settings.log_level, settings.api_title) == (
        9002,
        "DEBUG",
        "Zoë & co",
    )


def test_unknown_lines_in_the_file_are_left_alone(tmp_path: Path):
    (tmp_path / ".env").write_text("SOMEBODY_ELSES=1\n")
    assert load_settings().api_port == 8000


@pytest.mark.parametrize("name", ["database_url", "redis_url", "postgres_host"])
def test_an_empty_address_is_none(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name.upper(), "")
    assert getattr(load_settings(), name) is None


def test_the_parts_of_a_database_make_its_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POSTGRES_HOST", "db.local")
    monkeypatch.setenv("POSTGRES_USER", "a b")
    monkeypatch.setenv("POSTGRES_PASSWORD", "p@ss/word")
    expected = "postgresql://a%20b:p%40ss%2Fword@db.local:5432/telemetra"
    assert load_settings().require_database_url() == expected
    monkeypatch.setenv("DATABASE_URL", "postgresql://other")
    assert load_settings().require_database_url() == "postgresql://other"


def test_what_is_not_set_is_named_with_a_way_out():
    settings = make_settings()
    with pytest.raises(SettingsInvalidError, match=r"DATABASE_URL is not set.*telemetra up"):
        settings.require_database_url()
    with pytest.raises(SettingsInvalidError, match=r"REDIS_URL is not set.*telemetra up"):
        settings.require_redis_url()


def test_secrets_are_not_shown():
    settings = make_settings(
        database_url="postgresql://u:hunter2@h/d",
        redis_url="redis://:hunter2@h",
        postgres_password="hunter2",
    )
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "folder"),
    [(".telemetra", REPOSITORY / ".telemetra"), ("/a folder/b", Path("/a folder/b"))],
)
def test_the_data_folder_is_relative_to_the_source_tree(given: str, folder: Path):
    assert make_settings(telemetra_data_dir=given).data_dir == folder


@pytest.mark.parametrize(
    ("chosen", "endpoint"),
    [
        ({}, None),
        ({"otel_exporter_otlp_endpoint": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"otel_exporter_otlp_endpoint": "http://c/base/"}, "http://c/base/v1/traces"),
        (
            {
                "otel_exporter_otlp_endpoint": "http://c:4318",
                "otel_exporter_otlp_traces_endpoint": "http://t/spans",
            },
            "http://t/spans",
        ),
        ({"otel_exporter_otlp_endpoint": "http://c:4318", "otel_sdk_disabled": True}, None),
        ({"otel_exporter_otlp_traces_endpoint": "http://t", "otel_sdk_disabled": True}, None),
    ],
)
def test_traces_go_where_the_standard_names_say(
    chosen: dict[str, str | bool], endpoint: str | None
):
    assert make_settings(**chosen).traces_endpoint == endpoint
