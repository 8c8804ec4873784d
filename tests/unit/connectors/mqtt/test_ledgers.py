"""Ledgers: a delivery that is repeated is called what it was called, whoever was killed between."""

from pathlib import Path

import pytest

from streaming.connectors.mqtt.ledgers import LINES_MAX, REMEMBERED, Delivery, Ledger

NOW = 1_769_423_535_000


def deliver(packet: int, payload: bytes = b"21.5", *, again: bool = False) -> Delivery:
    return Delivery(packet, "sensors/press/temp", payload, again)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mqtt.deliveries"


def test_a_repeat_is_called_the_same_also_after_a_restart(path: Path):
    ledger = Ledger(path)
    first, second = ledger.name(deliver(1), NOW), ledger.name(deliver(2), NOW + 1)
    ledger.save()
    assert ledger.name(deliver(1, again=True), NOW + 60_000) == first
    assert Ledger(path).name(deliver(2, again=True), NOW + 60_000) == second
    assert first.id != second.id


def test_a_packet_number_that_is_used_anew_is_a_new_delivery(path: Path):
    ledger = Ledger(path)
    first = ledger.name(deliver(1), NOW)
    assert ledger.name(deliver(1), NOW + 1) != first, "the same value, sent once more"
    assert ledger.name(deliver(1, b"22", again=True), NOW).id != first.id
    assert ledger.name(deliver(9, again=True), NOW).id != first.id


def test_what_was_not_written_down_was_not_sent_either(path: Path):
    ledger = Ledger(path)
    first = ledger.name(deliver(1), NOW)
    assert Ledger(path).name(deliver(1, again=True), NOW).id != first.id


def test_a_line_that_a_crash_has_cut_is_left_out(path: Path):
    ledger = Ledger(path)
    kept = ledger.name(deliver(1), NOW)
    ledger.save()
    with path.open("ab") as file:
        file.write(b"2 0123 mqtt-x\n\xff 3 4")
    again = Ledger(path)
    assert again.name(deliver(1, again=True), NOW) == kept
    again.name(deliver(3), NOW)
    again.save()
    assert len(path.read_text().splitlines()) == 2


def test_only_the_newest_are_remembered_and_the_file_stays_small(path: Path):
    ledger = Ledger(path)
    for number in range(LINES_MAX + 2 * REMEMBERED):
        known = ledger.name(deliver(number % 65_535 + 1), NOW)
        if number % 500 == 0:
            ledger.save()
            assert len(path.read_text().splitlines()) <= LINES_MAX
    ledger.save()
    last = (LINES_MAX + 2 * REMEMBERED - 1) % 65_535 + 1
    again = Ledger(path)
    assert len(path.read_text().splitlines()) == REMEMBERED
    assert again.name(deliver(last, again=True), NOW) == known
    forgotten = deliver(last - REMEMBERED, again=True)
    assert again.name(forgotten, NOW).id not in path.read_text()
