"""The file that says what runs."""

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.supervisor.identities import ProcessIdentity, find_created_s
from infra.supervisor.locks import hold_folder
from infra.supervisor.specs import AlreadyRunningError, ProcessState, describe_exit
from infra.supervisor.states import (
    ProcessRecord,
    SupervisorRecord,
    find_running,
    locate_state,
    read_state,
    write_state,
)

START = datetime(2026, 1, 26, 10, 32, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> SupervisorRecord:
    (tmp_path / "run").mkdir()
    created_s = find_created_s(os.getpid())
    assert created_s is not None
    api = ProcessRecord("api", 1, 2.0, ProcessState.READY, 3, START, "here")
    redis = ProcessRecord("redis", None, None, ProcessState.READY, 0, START, "REDIS_URL")
    return SupervisorRecord(
        pid=os.getpid(),
        created_s=created_s,
        api_url="http://127.0.0.1:8000",
        database_url="postgresql://u:secret@h/d",
        redis_url="redis://h",
        data_dir=tmp_path,
        started_at=START,
        processes=(redis, api),
    )


def test_what_is_written_is_read_back(record):
    write_state(record)
    assert read_state(record.data_dir) == record


def test_only_the_owner_may_read_the_file(record):
    write_state(record)
    write_state(record)
    assert locate_state(record.data_dir).stat().st_mode & 0o777 == 0o600


def test_a_part_that_a_killed_writer_left_does_not_disturb(record):
    locate_state(record.data_dir).with_suffix(".part").write_text("half")
    write_state(record)
    assert read_state(record.data_dir) == record


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_file_that_cannot_be_read_counts_as_none(tmp_path, text):
    (tmp_path / "run").mkdir()
    locate_state(tmp_path).write_text(text)
    assert read_state(tmp_path) is None


def test_a_supervisor_with_the_same_pid_but_another_creation_is_not_running(record):
    write_state(record)
    assert find_running(record.data_dir) == record
    write_state(dataclasses.replace(record, created_s=record.created_s - 100))
    assert find_running(record.data_dir) is None


def test_an_external_service_is_no_process(record):
    assert record.processes[0].identity is None
    assert record.processes[1].identity == ProcessIdentity(1, 2.0)


def test_a_folder_has_one_owner_at_a_time(tmp_path):
    with (
        hold_folder(tmp_path),
        pytest.raises(AlreadyRunningError, match="already runs"),
        hold_folder(tmp_path),
    ):
        pass
    with hold_folder(tmp_path):
        pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with code 0"),
        (-9, "was ended by SIGKILL"),
        (-63, "was ended by signal 63"),
    ],
)
def test_an_exit_is_told_in_words(code, words):
    assert describe_exit(code) == words
