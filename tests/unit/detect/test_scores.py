"""Scores of a file: a row for each row, as it was written, and a clear line when it cannot be."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from core.settings import REPOSITORY
from streaming.detect.scores import main


def write(path: Path, rows: list[str], head: str = "timestamp,value") -> str:
    path.write_text("\n".join([head, *rows, ""]))
    return str(path)


def list_rows(count: int, last: str) -> list[str]:
    times = [
        f"2026-01-{1 + n // 288:02d} {n // 12 % 24:02d}:{n % 12 * 5:02d}:00" for n in range(count)
    ]
    values = [str(20 + n % 5) for n in range(count - 1)]
    return [f"{time},{value}" for time, value in zip(times, [*values, last], strict=True)]


def test_every_row_is_scored_and_stands_as_it_was(tmp_path: Path):
    rows = list_rows(1500, "90.50")
    rows[700] = rows[700].partition(",")[0] + ",n/a"
    out = tmp_path / "scores.csv"
    assert main([write(tmp_path / "a.csv", rows), "--out", str(out)]) == 0
    scored = pl.read_csv(out, infer_schema=False)
    assert scored.columns == ["timestamp", "value", "score"]
    assert [",".join(row) for row in scored.select("timestamp", "value").rows()] == rows
    scores = scored["score"].cast(pl.Float64)
    assert scores[-1] >= 1
    assert scores[700] == 0


def test_it_is_a_command(tmp_path: Path):
    out = tmp_path / "scores.csv"
    name = write(tmp_path / "a.csv", list_rows(3, "1"))
    command = [sys.executable, "-m", "infra.cli", "score", name, "--out", str(out)]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    assert len(out.read_text().splitlines()) == 4


def test_scores_go_to_the_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
):
    assert main([write(tmp_path / "a.csv", list_rows(3, "1"))]) == 0
    assert capfdbinary.readouterr().out.splitlines()[0] == b"timestamp,value,score"


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (["1,2"], "time,value", "no column timestamp; it has time, value"),
        (["soon,2"], "timestamp,value", "Row 1 has no time that can be read: soon."),
        ([",2"], "timestamp,value", "Row 1 has no time"),
    ],
)
def test_what_cannot_be_scored_is_named(tmp_path, capsys, rows, head, said):
    assert main([write(tmp_path / "a.csv", rows, head)]) == 1
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err
