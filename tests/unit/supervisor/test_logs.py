"""The bounded files that children's output goes to."""

from pathlib import Path

from infra.supervisor.logs import RotatingLog, read_last_lines


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}


def test_a_log_is_bounded_and_keeps_the_newest_lines(tmp_path):
    log = RotatingLog(tmp_path / "api.log", bytes_max=1000, kept=3)
    for number in range(1000):
        log.write(f"line {number:04}\n".encode())
    log.close()
    sizes = _sizes(tmp_path)
    assert set(sizes) == {"api.log", "api.log.1", "api.log.2", "api.log.3"}
    assert max(sizes.values()) <= 1000
    assert read_last_lines(log.path, 2) == ["line 0998", "line 0999"]


def test_no_line_is_lost_or_torn_by_the_rotation(tmp_path):
    log = RotatingLog(tmp_path / "api.log", bytes_max=100, kept=3)
    lines = [f"line {number:04}\n" for number in range(30)]
    for first in range(0, 30, 5):
        log.write("".join(lines[first : first + 5]).encode())
    log.close()
    files = [tmp_path / f"api.log.{number}" for number in (3, 2, 1)] + [log.path]
    assert "".join(file.read_text() for file in files if file.exists()) == "".join(lines)


def test_a_full_log_is_moved_aside_at_the_start(tmp_path):
    (tmp_path / "api.log").write_bytes(b"x" * 200)
    log = RotatingLog(tmp_path / "api.log", bytes_max=100)
    log.close()
    assert _sizes(tmp_path) == {"api.log": 0, "api.log.1": 200}


def test_a_log_goes_on_where_it_ended(tmp_path):
    for text in (b"one\n", b"two\n"):
        log = RotatingLog(tmp_path / "api.log")
        log.write(text)
        log.close()
    assert log.path.read_bytes() == b"one\ntwo\n"


def test_the_last_lines_are_those_of_the_last_start(tmp_path):
    log = RotatingLog(tmp_path / "api.log")
    log.write(b"an old error\n")
    log.mark_start("now")
    log.write(b"a new error\n\n")
    log.close()
    assert read_last_lines(log.path) == ["a new error"]


def test_a_missing_log_has_no_last_lines(tmp_path):
    assert read_last_lines(tmp_path / "none.log") == []


def test_a_line_longer_than_a_file_is_cut_and_not_lost(tmp_path):
    log = RotatingLog(tmp_path / "api.log", bytes_max=100, kept=3)
    log.write(b"x" * 250)
    log.close()
    assert _sizes(tmp_path) == {"api.log": 50, "api.log.1": 100, "api.log.2": 100}
