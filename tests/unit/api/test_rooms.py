"""Rooms: what is held has a limit, is given back, and one that is alone always fits."""

import pytest

from api.ingest.rooms import Room
from core.errors import RoomFullError


def test_what_others_hold_leaves_less_room():
    room = Room(100)
    with room.hold() as one, room.hold() as other:
        one.claim(60)
        other.claim(40)
        with pytest.raises(RoomFullError) as caught:
            other.claim(41)
        assert caught.value.retry_after_s == 1
        assert (room.held, other.held) == (100, 40)
    assert room.held == 0


def test_a_claim_is_of_all_that_is_held_and_never_less():
    room = Room(100)
    with room.hold() as share:
        for size in (10, 30, 20):
            share.claim(size)
        assert room.held == 30


def test_a_body_that_is_alone_fits_whatever_its_size():
    room = Room(100)
    with room.hold() as one:
        one.claim(90)
        one.claim(500)
        with room.hold() as other, pytest.raises(RoomFullError):
            other.claim(1)
    assert room.held == 0


def test_a_failure_gives_back_what_was_held():
    room = Room(100)

    def fail() -> None:
        with room.hold() as share:
            share.claim(100)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert room.held == 0
