"""Logging: one format for structlog and the standard library, with the facts of the context."""

import subprocess
import sys
from typing import Any

import orjson

from core.settings import REPOSITORY

PREPARE = """
import logging, structlog
from core.logging import configure_logging
configure_logging("probe", level={level!r}, as_json={as_json})
log = structlog.get_logger()
"""


def run(code: str, *, level: str = "INFO", as_json: bool | None = True) -> str:
    """Return what a process of its own logs: configuring is once and for all."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARE.format(level=level, as_json=as_json) + code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


def read(code: str, **options: Any) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in run(code, **options).splitlines()]


def test_a_line_has_the_process_the_request_and_the_facts():
    (line,) = read(
        "with structlog.contextvars.bound_contextvars(request_id='req_1'):\n"
        "    log.info('minute_closed', stream_id='a', count=3)"
    )
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "minute_closed",
        "level": "info",
        "process": "probe",
        "request_id": "req_1",
        "stream_id": "a",
        "count": 3,
    }


def test_the_standard_library_speaks_the_same_format():
    (line,) = read(
        "with structlog.contextvars.bound_contextvars(request_id='req_1'):\n"
        "    logging.getLogger('uvicorn').warning('gone %s', 'away')"
    )
    assert (line["event"], line["level"]) == ("gone away", "warning")
    assert (line["process"], line["request_id"]) == ("probe", "req_1")


def test_an_error_stays_on_one_line_with_its_trace():
    code = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}.exception('it_failed')"
    lines = read(code.format("log") + "\n" + code.format("logging.getLogger()"))
    assert [line["event"] for line in lines] == ["it_failed", "it_failed"]
    assert all("ZeroDivisionError" in line["exception"] for line in lines)


def test_a_line_break_in_a_fact_forges_no_line():
    (line,) = read("log.info('said', text='a\\n{\"event\": \"forged\"}')")
    assert line["event"] == "said"


def test_lines_below_the_level_are_left_out():
    code = "log.info('quiet'); logging.info('quiet'); log.warning('loud'); logging.warning('loud')"
    assert [line["event"] for line in read(code, level="WARNING")] == ["loud", "loud"]


def test_people_get_a_console_and_files_get_json():
    assert run("log.info('hello_there', a=1)", as_json=False).count("hello_there") == 1
    assert "{" not in run("log.info('hello_there', a=1)", as_json=False)
    assert read("log.info('hello_there')", as_json=None)[0]["event"] == "hello_there"
