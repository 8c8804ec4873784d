"""The page about rigs: what it shows is read by what it is about."""

import re
from pathlib import Path

from core.scripts import read_script
from core.settings import REPOSITORY
from streaming.devices.mqtt.descriptions import read_description
from streaming.devices.sdk import Device
from streaming.devices.simulated.options import read_options

PAGE = (REPOSITORY / "docs" / "rigs.md").read_text(encoding="utf-8")


def list_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_description_of_a_press_is_one(tmp_path: Path) -> None:
    path = tmp_path / "press.yaml"
    path.write_text(list_blocks("yaml")[0])
    description = read_description(path)
    assert description.commands["lamp"].parameters["on"]["type"] == "boolean"
    assert description.telemetry["load"].quality == 1
    assert description.telemetry["temperature"].quality == 0


def test_the_script_is_one() -> None:
    assert len(read_script(list_blocks("yaml")[1]).steps) == 3


def test_the_lines_of_the_example_are_those_of_the_file() -> None:
    (shown,) = list_blocks("python")
    file = (REPOSITORY / "streaming" / "devices" / "example.py").read_text(encoding="utf-8")
    assert [line for line in shown.splitlines() if line not in file.splitlines()] == []


def test_the_options_of_the_simulated_device_are_read() -> None:
    line = next(each for each in list_blocks("sh") if "device simulate" in each)
    options = read_options(line.split()[3:])
    assert (options.device_id, options.seed, len(options.faults)) == ("bench_1", 3, 1)


def test_what_the_page_says_of_the_class_is_there() -> None:
    named = set(re.findall(r"`(?:await )?(?:@)?device\.([a-z_]+)", PAGE))
    assert named >= {"telemetry", "command", "send", "post", "tell", "run", "serve"}
    assert [name for name in named if not hasattr(Device, name)] == []
