"""Offsets: whole or not at all, one process at a time, and never silently from the start."""

from pathlib import Path

import pytest

from core.errors import ConflictError, ServiceMissingError
from streaming.connectors.offsets import OffsetsUnreadableError, open_offsets


def test_what_is_written_is_read_after_a_restart(tmp_path: Path):
    with open_offsets(tmp_path, "feed") as offsets:
        assert offsets.read() == {}
        offsets.write({"part-0": 12, "part-1": {"line": 3}})
        offsets.write({"part-0": 13})
    with open_offsets(tmp_path, "feed") as offsets:
        assert offsets.read() == {"part-0": 13}
    with open_offsets(tmp_path, "other") as offsets:
        assert offsets.read() == {}


@pytest.mark.parametrize("content", [b"", b'{"part-0": 1', b"[1]", b"\xff\xfe"])
def test_a_broken_file_stops_the_start_and_is_named(tmp_path: Path, content: bytes):
    with open_offsets(tmp_path, "feed") as offsets:
        offsets.path.write_bytes(content)
        with pytest.raises(OffsetsUnreadableError, match=r"feed\.json"):
            offsets.read()


def test_a_crash_in_the_middle_of_writing_leaves_the_old_offsets(tmp_path: Path):
    with open_offsets(tmp_path, "feed") as offsets:
        offsets.write({"part-0": 1})
        with pytest.raises(TypeError):
            offsets.write({"part-0": object()})
        assert offsets.read() == {"part-0": 1}


def test_a_second_connector_of_the_same_name_is_turned_away(tmp_path: Path):
    with (
        open_offsets(tmp_path, "feed"),
        pytest.raises(ConflictError, match="feed"),
        open_offsets(tmp_path, "feed"),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "connectors").write_text("a file where a folder should be")
    with pytest.raises(ServiceMissingError, match="connectors"), open_offsets(tmp_path, "feed"):
        pass
