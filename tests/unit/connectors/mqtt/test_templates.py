"""Templates: what they ask for, what they make of topics, and which cannot work."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsInvalidError
from streaming.connectors.mqtt.templates import Place, read_template


@pytest.mark.parametrize(
    ("text", "asked", "topic", "place"),
    [
        ("sensors/{stream}/{channel}", "sensors/+/+", "sensors/press/temp", ("press", "temp")),
        ("factory/+/{stream}/{channel}", "factory/+/+/+", "factory/a/b/c", ("b", "c")),
        ("factory/+/{stream}", "factory/+/+", "factory//b", ("b", None)),
        ("{stream}/#", "+/#", "press/a/b", ("press", None)),
        ("{stream}/#", "+/#", "press", ("press", None)),
        ("tele-{stream}/state", "+/state", "tele-9/state", ("9", None)),
        ("{channel}.{stream}", "+", "a.b.c", ("c", "a.b")),
        ("$share/g/s/{stream}", "$share/g/s/+", "s/x", ("x", None)),
        ("$SYS/broker/{channel}", "$SYS/broker/+", "$SYS/broker/uptime", (None, "uptime")),
        ("#", "#", "any/thing", (None, None)),
        ("/{stream}", "/+", "/x", ("x", None)),
        ("a.b/{stream}", "a.b/+", "a.b/x", ("x", None)),
    ],
)
def test_a_template_asks_for_topics_and_reads_them(
    text: str, asked: str, topic: str, place: tuple[str | None, str | None]
):
    template = read_template(text)
    assert template.filter == asked
    assert template.match(topic) == Place(*place)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("sensors/{stream}", "sensors/a/b"),
        ("sensors/{stream}", "sensors/"),
        ("sensors/{stream}", "sensor/a"),
        ("tele-{stream}/state", "cmnd-9/state"),
        ("a.b/{stream}", "axb/c"),
        ("$share/g/s/{stream}", "$share/g/s/x"),
    ],
)
def test_a_topic_that_does_not_fit_says_nothing(text: str, topic: str):
    assert read_template(text).match(topic) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no topic"),
        ("$share/g/", "names no topic"),
        ("$share/g", "names no topic"),
        ("$share//a/{stream}", "name of a group"),
        ("$share/g+/a/{stream}", "name of a group"),
        ("$share/{stream}/a", "name of a group"),
        ("a/{device}", "{device} is neither {stream} nor {channel}"),
        ("a/{}", "{} is neither"),
        ("{stream}/{stream}", "stands in it twice"),
        ("{stream}{channel}", "one placeholder ends"),
        ("a/{stream", "curly bracket is open"),
        ("a/stream}", "curly bracket is open"),
        ("a/{{stream}}", "curly bracket is open"),
        ("a/b+/{stream}", "+ stands for a whole level"),
        ("a/#/{stream}", "# stands for all levels below"),
        ("a/{stream}#", "# stands for all levels below"),
        ("a\0/{stream}", "cannot be printed"),
        ("a" * 70_000, "longer than"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_the_reason(text: str, reason: str):
    with pytest.raises(SettingsInvalidError, match=re.escape(reason)):
        read_template(text)


@given(st.text("ab/+#{}$ \0", max_size=12) | st.text())
def test_any_text_is_a_template_or_refused(text: str):
    try:
        template = read_template(text)
    except SettingsInvalidError:
        return
    assert "{" not in template.filter
    template.match(text)


LEVELS = st.text("abc.-_", min_size=1, max_size=5)


@given(LEVELS, LEVELS, LEVELS)
def test_a_topic_gives_back_what_it_was_made_of(plain: str, stream: str, channel: str):
    template = read_template(f"{plain}/{{channel}}/x/{{stream}}")
    assert template.match(f"{plain}/{channel}/x/{stream}") == Place(stream, channel)
