"""Options of ``telemetra ingest``: what is wrong with them is one clear line."""

import re
import shlex

import pytest

from core.paces import NoPace, RatePace, RecordedPace
from core.settings import REPOSITORY
from streaming.connectors.files.options import read_options


def test_columns_are_named():
    options = read_options(
        ["a.csv", "b.csv", "--map", "timestamp=Date", "--map", "value=Close", "--stream", "s"]
    )
    assert options.files == ("a.csv", "b.csv")
    assert options.wishes.columns == {"timestamp": "Date", "value": "Close"}
    assert options.wishes.stream == "s"
    assert isinstance(options.make_pace(), NoPace)


def test_paces_are_chosen():
    assert isinstance(read_options(["-", "--rate", "5000/s"]).make_pace(), RatePace)
    recorded = read_options(["a", "--as-recorded", "--speed", "60x"])
    assert recorded.speed == 60
    assert isinstance(recorded.make_pace(), RecordedPace)
    assert read_options(["a", "--as-recorded"]).speed == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "FILE"),
        (["a", "--rate", "fast"], "'fast' is no rate like 5000/s"),
        (["a", "--as-recorded", "--speed", "0x"], "'0x' is no speed"),
        (["a", "--speed", "60x"], "--speed goes with --as-recorded"),
        (["a", "--rate", "1/s", "--as-recorded"], "not allowed with"),
        (["a", "--map", "value"], "'value' is not FIELD=COLUMN"),
        (["a", "--stream", "a b"], "'a b' is not 1 to 128"),
        (["a", "--zone", "Mars/Base"], "'Mars/Base' is no zone"),
        (["a", "--url", "ftp://x"], "not an address"),
        (["a", "--format", "xml"], "invalid choice"),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments, what, capsys):
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2
    assert what in capsys.readouterr().err.splitlines()[-1]


def list_examples() -> list[str]:
    """Return every command for files in the documents."""
    texts = [
        (REPOSITORY / name).read_text(encoding="utf-8")
        for name in ("docs/connectors.md", "README.md")
    ]
    lines = [line for text in texts for line in re.findall(r"telemetra ingest [^`\n]+", text)]
    return [line for line in lines if "…" not in line and "-- --help" not in line]


@pytest.mark.parametrize("line", list_examples())
def test_every_example_of_the_documents_is_understood(line):
    assert read_options(shlex.split(line)[2:]).files


def test_the_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        read_options(["--help"])
    told = capsys.readouterr().out
    assert "telemetra ingest prices.csv --map timestamp=Date" in told
    assert "Exit code" in told
