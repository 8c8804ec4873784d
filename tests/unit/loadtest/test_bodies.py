"""Bodies of the load senders: the door takes every event of them."""

from datetime import UTC, datetime, timedelta

import pytest

from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from loadtest.scenarios.bodies import LATE_BY, TEMPLATES, draw_templates

NOW = datetime(2026, 1, 26, 10, 32, 15, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("events", [1, 2, 3, 4, 50])
@pytest.mark.parametrize("late", [False, True])
def test_a_stamped_body_holds_what_its_template_says(events: int, *, late: bool) -> None:
    templates = draw_templates(events, seed=3, late=late)
    assert len(templates) == TEMPLATES
    for template in templates:
        rows, unreadable = read_ndjson(template.stamp("load-a", NOW))
        good, refused = check_events(rows, now=NOW, policy=TimePolicy())
        assert (unreadable, refused) == ([], [])
        assert good.height == template.events
        assert set(good["stream_id"]) == {"load-a"}
        assert good.filter(type="chat").height == template.chats


def test_a_late_message_is_of_the_minute_before() -> None:
    text = draw_templates(10, seed=3, late=True)[0].stamp("load-a", NOW).decode()
    assert (NOW - LATE_BY).strftime("%H:%M:%S") in text
    assert timedelta(minutes=1) == LATE_BY
