"""The command line of ``telemetra moments``."""

import re
import shlex

import pytest

from core.moment_lives import Action
from core.settings import REPOSITORY
from infra.cli.moment_options import ACTIONS, EXAMPLES, read_options

PAGE = (REPOSITORY / "docs" / "moments.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LINES = [*BLOCK.splitlines(), *EXAMPLES.replace("Example: ", "").splitlines()]


@pytest.mark.parametrize("line", LINES)
def test_every_example_is_understood(line: str):
    program, command, *arguments = shlex.split(line, comments=True)
    assert (program, command) == ("telemetra", "moments")
    assert read_options(arguments)


def test_every_action_has_a_name():
    assert {action for action, _ in ACTIONS.values()} == set(Action)


def test_the_api_is_named_before_a_command_or_behind_it():
    for words in (["--url", "a", "ack", "m", "--json"], ["--json", "ack", "m", "--url", "a"]):
        options = read_options(words)
        assert (options.url, options.json, options.api_key) == ("a", True, None)
    assert read_options(["--url", "a", "ack", "m", "--url", "b"]).url == "b"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["shelve", "mom_1"], "--until"),
        (["label", "mom_1", "maybe"], "maybe"),
        (["forget", "mom_1"], "forget"),
        (["--limit", "0"], "1 to 10000"),
        (["--min-score", "high"], "no number"),
        (["ack"], "ID"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        read_options(arguments)
    told = capsys.readouterr().err
    assert caught.value.code == 2
    assert word in told
    assert told.count("\n") == 1
