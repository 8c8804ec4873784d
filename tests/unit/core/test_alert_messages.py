"""Alert messages: what is said, in the words of each kind of route."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from core.alert_groups import Item, What
from core.alert_messages import (
    LINES_MAX,
    REASONS_MAX,
    make_content,
    make_sample,
    write_alerts,
    write_event,
    write_text,
    write_title,
)
from core.alerts import Severity
from tests.fixtures.alerts import make_moment, make_rule
from tests.fixtures.clocks import START


def make(*items: Item, **moment: Any) -> dict[str, Any]:
    """Return a content, as it comes back from the database."""
    rule = make_rule(name="spikes", severity=Severity.CRITICAL)
    moments = {item.moment_id: make_moment(item.moment_id, **moment) for item in items}
    content = make_content(
        rule, '{"stream":"hall"}', items, moments, public_url="https://x.example", now=START
    )
    assert orjson.loads(orjson.dumps(content)) == content
    return content


OPENED = make(Item("mom_1", What.OPENED))


def test_an_event_says_who_what_and_where():
    event = orjson.loads(write_event("dlv_1", OPENED, "https://x.example"))
    assert event.pop("data") == OPENED
    assert event == {
        "specversion": "1.0",
        "id": "dlv_1",
        "type": "telemetra.alert",
        "source": "https://x.example/api/v1/alert-rules/rul_1",
        "subject": "hall",
        "time": "2026-01-26T10:00:00Z",
        "datacontenttype": "application/json",
    }


def test_an_alert_stands_a_while_and_ends_when_its_moment_does():
    (alert,) = write_alerts(OPENED, START, timedelta(minutes=4))
    assert (alert["startsAt"], alert["endsAt"]) == (
        "2026-01-26T09:59:00Z",
        "2026-01-26T10:04:00Z",
    )
    ended = make(Item("mom_1", What.ENDED), ended_at=START - timedelta(seconds=7))
    (alert,) = write_alerts(ended, START, timedelta(minutes=4))
    assert alert["endsAt"] == "2026-01-26T09:59:53Z"
    # Somebody resolved it while it goes on.
    (alert,) = write_alerts(make(Item("mom_1", What.ENDED)), START, timedelta(minutes=4))
    assert alert["endsAt"] == "2026-01-26T10:00:00Z"


def test_a_link_leads_to_the_moment_whatever_its_stream_is_called():
    content = make(Item("mom_1", What.OPENED), stream_id="a#b/c")
    assert content["moments"][0]["link"] == "https://x.example/app/moments/mom_1"


@pytest.mark.parametrize(
    ("items", "title"),
    [
        ([Item("mom_1", What.OPENED)], "Critical: spikes: chat_spike in hall"),
        ([Item("mom_1", What.ENDED)], "Over: spikes: chat_spike in hall"),
        ([Item("mom_1", What.OPENED), Item("mom_2", What.ENDED)], "Critical: spikes: 2 moments"),
        ([Item("mom_1", What.PASSED), Item("mom_2", What.WITHDRAWN)], "Over: spikes: 2 moments"),
    ],
)
def test_a_title_says_the_worst(items: list[Item], title: str):
    assert write_title(make(*items)) == title


def test_a_text_names_some_and_counts_the_rest():
    many = make(*(Item(f"mom_{number}", What.PASSED) for number in range(LINES_MAX + 3)))
    text = write_text(many)
    assert text.count("Over already: Chat spike") == LINES_MAX
    assert text.endswith("… and 3 more.")


def test_reasons_are_bounded_and_odd_ones_left_out():
    reasons = [{"kind": "x"}, "words", {"text": "good"}, *({"text": str(n)} for n in range(99))]
    content = make(Item("mom_1", What.OPENED), reasons=reasons)
    assert len(content["moments"][0]["reasons"]) == REASONS_MAX
    (alert,) = write_alerts(content, START, timedelta(minutes=4))
    assert alert["annotations"]["reasons"].startswith("good; 0; 1;")


def test_what_viewers_wrote_calls_nobody():
    said = make(Item("mom_1", What.OPENED), reasons=[{"text": "much said: @everyone"}])
    assert "@everyone" not in write_text(said)
    assert "everyone" in write_text(said)


def test_a_sample_can_be_sent_over_every_kind_of_route():
    sample = make_sample("rte_1", "", START)
    assert "This is a test" in write_text(sample)
    assert write_title(sample) == "Over: Test of rte_1: chat_spike in test"
    assert orjson.loads(write_event("dlv_1", sample, ""))["data"] == sample
    (alert,) = write_alerts(sample, START, timedelta(minutes=4))
    assert alert["endsAt"] == "2026-01-26T10:00:00Z"
