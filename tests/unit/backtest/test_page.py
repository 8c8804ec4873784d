"""The page about backtests: its commands are understood, and its names are those of the code."""

import re
import shlex

import pytest

from core.settings import REPOSITORY
from streaming.backtest.options import read_options
from streaming.backtest.overrides import Rules, change_rules
from streaming.flow.shards import FlowPolicy

PAGE = (REPOSITORY / "docs" / "backtest.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("line", BLOCK.splitlines())
def test_every_command_on_the_page_is_understood(line: str):
    program, command, *arguments = shlex.split(line)
    assert (program, command) == ("telemetra", "backtest")
    wishes = read_options(arguments).wishes
    assert change_rules(Rules(FlowPolicy()), wishes) != Rules(FlowPolicy())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--file", "a.parquet", "--from", "2026-01-26"], "taken whole"),
        (["--picture", "a.png"], ".svg"),
        (["--step", "0"], "1 to 20"),
        (["--warm-up", "-1"], "whole number"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as caught:
        read_options(arguments)
    told = capsys.readouterr().err
    assert caught.value.code == 2
    assert word in told
    assert told.count("\n") == 1
