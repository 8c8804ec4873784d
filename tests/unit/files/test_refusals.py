"""What is refused before anything is sent."""

import pytest

from core.errors import InvalidError, NotFoundError
from streaming.connectors.files.__main__ import ingest
from streaming.connectors.files.options import read_options
from tests.fixtures.settings import make_settings
from tests.unit.files.tables import write_file

EVENT = (
    b'{"stream_id":"a","type":"chat","timestamp":"2026-02-01T10:00:00Z","user":"u","text":"t"}\n'
)


def test_a_product_is_not_sent_what_it_has_counted(tmp_path):
    settings = make_settings(telemetra_data_dir=tmp_path)
    settings.archive_dir.mkdir()
    path = write_file(settings.archive_dir, "a.ndjson", EVENT)
    with pytest.raises(InvalidError, match="telemetra replay"):
        ingest(settings, read_options([str(path)]))


def test_stdin_stands_alone(tmp_path):
    path = write_file(tmp_path, "a.ndjson", EVENT)
    with pytest.raises(InvalidError, match="stands alone"):
        ingest(make_settings(telemetra_data_dir=tmp_path), read_options([str(path), "-"]))


def test_one_file_that_is_missing_refuses_all(tmp_path):
    path = write_file(tmp_path, "a.ndjson", EVENT)
    with pytest.raises(NotFoundError, match="no file"):
        ingest(make_settings(), read_options([str(path), str(tmp_path / "b.csv")]))
