"""Arguments: what the flow's command line says, and what it refuses with one clear line."""

import subprocess
import sys

import pytest

from core.settings import REPOSITORY
from streaming.flow.__main__ import read_arguments
from streaming.flow.stores import RECOVERY_PARTITIONS


def test_alone_it_needs_nothing_said():
    told = read_arguments([])
    assert (told.processes, told.process_id, told.addresses) == (None, None, None)


def test_a_member_of_a_cluster_is_told_its_number_and_all_addresses():
    told = read_arguments(["-i", "1", "-a", "a:1;b:2"])
    assert (told.process_id, told.addresses) == (1, "a:1;b:2")


REFUSED = {
    "--processes 0": f"--processes is from 1 to {RECOVERY_PARTITIONS}",
    "--processes -1": f"--processes is from 1 to {RECOVERY_PARTITIONS}",
    f"--processes {RECOVERY_PARTITIONS + 1}": f"--processes is from 1 to {RECOVERY_PARTITIONS}",
    "--processes many": "argument --processes: invalid int value: 'many'",
    "-i 0": "-i and -a belong together",
    "-a a:1;b:2": "-i and -a belong together",
    "--processes 2 -i 0 -a a:1;b:2": "--processes is for one machine, -i and -a are for several",
    "-i 2 -a a:1;b:2": "-i counts the addresses of -a from 0",
    "-i -1 -a a:1;b:2": "-i counts the addresses of -a from 0",
}


@pytest.mark.parametrize(("line", "reason"), REFUSED.items(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_with_its_reason(
    line: str, reason: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as refusal:
        read_arguments(line.split())
    assert refusal.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: {reason}")


@pytest.mark.parametrize("line", ["--processes 0", "-i 0"])
def test_the_process_itself_refuses_before_it_touches_anything(line: str):
    command = [sys.executable, "-m", "streaming.flow", *line.split()]
    ended = subprocess.run(
        command, cwd=REPOSITORY, env={}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("python -m streaming.flow: error: ")
