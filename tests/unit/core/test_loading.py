"""What a process loads is not looked through for garbage, neither while it loads nor later."""

import gc

import pytest

from core.loading import loading
from core.settings import REPOSITORY

ENTRIES = sorted(
    path for area in ("api", "streaming") for path in (REPOSITORY / area).rglob("__main__.py")
)


@pytest.fixture
def _collector():
    was_on = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_on else gc.disable)()


@pytest.mark.usefixtures("_collector")
def test_what_is_loaded_is_left_alone_from_then_on():
    before = gc.get_freeze_count()
    with loading():
        assert not gc.isenabled()
        loaded: list[object] = [[] for _ in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(loaded)


@pytest.mark.usefixtures("_collector")
def test_the_collector_is_back_when_loading_failed():
    def fail() -> None:
        with loading():
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert gc.isenabled()


@pytest.mark.usefixtures("_collector")
def test_whoever_switched_the_collector_off_finds_it_off():
    gc.disable()
    with loading():
        pass
    assert not gc.isenabled()


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.parent.name)
def test_every_process_loads_like_that(path):
    lines = [line for line in path.read_text().split('"""\n', 2)[1].splitlines() if line]
    assert lines[:2] == ["from core.loading import loading", "with loading():"]
