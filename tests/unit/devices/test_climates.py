"""Climates: what a simulated device measures, what goes wrong with it, and what is said of that."""

from itertools import islice, pairwise
from pathlib import Path

import orjson
import pytest

from core.errors import InvalidError
from streaming.backtest.truths import read_truths
from streaming.devices.simulated.climates import FAULTS_MAX, Climate
from streaming.devices.simulated.faults import (
    KINDS,
    Fault,
    FaultKind,
    Wish,
    make_fault,
    plan_often,
    plan_wishes,
)
from streaming.devices.simulated.labels import LabelFile, describe_fault
from streaming.devices.simulated.options import read_options
from streaming.devices.simulated.sensors import SENSORS
from streaming.simulator.incidents import Incident
from streaming.simulator.labels import write_labels
from streaming.simulator.profiles import list_profiles
from streaming.simulator.scenarios import USUAL
from streaming.simulator.worlds import World

START = 1_772_647_200_000
TEMPERATURE = SENSORS["temperature"]


def play(climate: Climate, steps: int, step_ms: int = 2000) -> list[dict[str, float]]:
    return [climate.measure(START + number * step_ms) for number in range(steps)]


def make_climate(*faults: Fault, seed: int = 7) -> Climate:
    return Climate(seed, START, faults)


def make_one(kind: FaultKind, after_s: int = 20, lasts_s: int = 20) -> Fault:
    return make_fault(kind, TEMPERATURE, START + 1000 * after_s, lasts_s)


def test_the_same_seed_measures_the_same():
    assert play(make_climate(), 50) == play(make_climate(), 50)
    assert play(make_climate(), 50) != play(make_climate(seed=8), 50)


def test_what_is_measured_is_what_sensors_can_show():
    faults = [make_fault(kind, TEMPERATURE, START, 100, size=500.0) for kind in KINDS]
    for fault in faults:
        for shown in play(make_climate(fault), 40):
            assert shown.get("temperature", 0.0) <= TEMPERATURE.high


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_felt_while_it_lasts_and_by_its_sensor_alone(kind):
    usual, hit = play(make_climate(), 30), play(make_climate(make_one(kind)), 30)
    differs = [
        a.get("temperature") != b.get("temperature") for a, b in zip(usual, hit, strict=True)
    ]
    assert differs[:10] == [False] * 10
    assert differs[20:] == [False] * 10
    # A drift begins with nothing, and a value may by chance be what it would have been.
    assert sum(differs[11:20]) >= 8
    others = [(a["pressure"], a["humidity"]) for a in hit]
    assert others == [(b["pressure"], b["humidity"]) for b in usual]


def test_each_kind_of_fault_is_what_its_name_says():
    def during(kind: FaultKind) -> list[float | None]:
        return [each.get("temperature") for each in play(make_climate(make_one(kind)), 30)[10:20]]

    plain = [each["temperature"] for each in play(make_climate(), 30)[10:20]]
    size = TEMPERATURE.fault_size
    assert during("dropout") == [None] * 10
    assert len(set(during("stuck"))) == 1
    jumps = [round((a or 0) - b, 1) for a, b in zip(during("spike"), plain, strict=True)]
    assert jumps == [size] * 10
    drifts = [(a or 0) - b for a, b in zip(during("drift"), plain, strict=True)]
    assert drifts == sorted(drifts)
    assert drifts[-1] == pytest.approx(size * 0.9, abs=0.02)


def test_a_seed_plans_the_same_faults_one_after_the_other():
    wishes = [Wish(kind) for kind in KINDS]
    planned = plan_wishes(3, wishes, START)
    assert planned == plan_wishes(3, wishes, START)
    assert planned != plan_wishes(4, wishes, START)
    assert [fault.kind for fault in planned] == list(KINDS)
    ends = [START, *(fault.end_ms for fault in planned)]
    assert all(fault.start_ms > end for fault, end in zip(planned, ends, strict=False))


def test_faults_that_come_often_never_meet():
    faults = list(islice(plan_often(3, 60.0, START), 50))
    assert faults == list(islice(plan_often(3, 60.0, START), 50))
    pairs = pairwise(faults)
    assert all(one.end_ms <= other.start_ms for one, other in pairs)
    climate = make_climate()
    climate.often = iter(faults)
    play(climate, 60 * 50 // 2)
    assert climate.take_over() == faults


def test_a_fault_that_nobody_could_feel_has_no_label():
    climate = make_climate(make_one("spike", after_s=1, lasts_s=1))
    climate.measure(START)
    climate.measure(START + 10_000)
    assert climate.take_over() == []


def test_a_fault_that_is_cleared_ends_there():
    climate = make_climate(make_one("drift", after_s=0, lasts_s=100), make_one("spike", 500))
    climate.measure(START)
    assert climate.clear_faults(START + 25_000) == 2
    (over,) = climate.take_over()
    assert over.end_ms == START + 25_000
    assert over.size == TEMPERATURE.fault_size / 4
    assert climate.measure(START + 500_000).keys() == SENSORS.keys()
    assert climate.take_over() == []


def test_a_second_fault_of_a_sensor_at_a_time_is_refused():
    climate = make_climate(make_one("spike"))
    climate.measure(START)
    with pytest.raises(InvalidError, match="clear it first"):
        climate.inject(make_one("stuck", after_s=30))
    climate.inject(make_one("stuck", after_s=40))
    for number in range(FAULTS_MAX - 2):
        climate.inject(make_one("stuck", after_s=100 * (number + 1)))
    with pytest.raises(InvalidError, match="are waiting"):
        climate.inject(make_one("stuck", after_s=99_999))


def test_a_sensor_goes_on_from_the_value_it_is_given():
    climate = make_climate()
    climate.set_value("temperature", 60.0, START + 2000)
    assert climate.measure(START + 2000)["temperature"] == pytest.approx(60, abs=1)
    with pytest.raises(InvalidError, match="-40 to 85"):
        climate.set_value("temperature", 85.1, START)
    climate.reset(START + 3000)
    assert climate.measure(START + 4000)["temperature"] == pytest.approx(22, abs=2)


def test_calibration_takes_away_what_sensors_are_off_once():
    off, right = make_climate(), make_climate()
    assert right.calibrate() == {name: sensor.bias for name, sensor in SENSORS.items()}
    assert set(right.calibrate().values()) == {0.0}
    shown = zip(play(off, 20), play(right, 20), strict=True)
    biases = {round(a["humidity"] - b["humidity"], 1) for a, b in shown}
    assert biases == {SENSORS["humidity"].bias}


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_has_the_form_of_the_simulators(kind):
    """Fields, directions and what the numbers mean."""
    profile = next(each for each in list_profiles(8) if each.channels)
    channel = profile.channels[0]
    theirs = Incident(profile.stream_id, kind, START, START + 20_000, channel=channel.name)
    (line,) = write_labels(World(7, [profile], 1.0, USUAL), theirs)
    wanted = orjson.loads(line)
    sensor = make_fault(kind, TEMPERATURE, START, 20, channel.fault_size)
    ours = orjson.loads(orjson.dumps(describe_fault(sensor, "d", 7), option=orjson.OPT_UTC_Z))
    own = {"incident_id", "scenario", "stream_id", "channel"}
    assert ours.keys() == wanted.keys()
    assert {name: ours[name] for name in ours.keys() - own} == {
        name: wanted[name] for name in wanted.keys() - own
    }


def test_a_backtest_reads_labels_and_a_second_run_keeps_those_of_the_first(tmp_path):
    path = tmp_path / "truth" / "labels.ndjson"
    for after_s in (20, 400):
        labels = LabelFile(path, "bench_1", 7)
        labels.write([make_one("stuck", after_s=after_s)])
        labels.close()
    first, second = read_truths(path)
    assert (first.stream_id, first.metric, first.types[0]) == ("bench_1", "temperature", "flatline")
    assert first.incident_id != second.incident_id


def test_labels_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidError, match="cannot be written"):
        LabelFile(Path(tmp_path / "file" / "labels.ndjson"), "bench_1", 7)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("stuck", Wish("stuck")),
        ("drift:pressure", Wish("drift", "pressure")),
        ("noise@30", Wish("noise", None, 30.0)),
        ("spike:humidity@0.5+20", Wish("spike", "humidity", 0.5, 20.0)),
    ],
)
def test_a_fault_is_read_as_it_is_written(text, wish):
    assert read_options(["--fault", text]).faults == [wish]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--fault", "broken"], "'broken' is none of"),
        (["--fault", "stuck:door"], "sensor 'door'"),
        (["--fault", "stuck@x"], "is not like"),
        (["--fault", "stuck@99999999"], "begins later"),
        (["--fault", "stuck+0.5"], "does not last"),
        (["--fault-every", "1"], "is not a number 10"),
        (["--fault-every", "x"], "is not a number 10"),
        (["--id", "two words"], "is no id"),
        (["--id", ""], "is no id"),
        (["--url", "nowhere"], "not an address"),
        (["--seed", "x"], "invalid int"),
    ],
)
def test_a_wrong_option_ends_it_with_one_line(capsys, arguments, reason):
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
