"""Alert messages: what a delivery says, and in which words each kind of route says it.

    items, moments -> content (stored with the delivery) -> CloudEvent | alerts | title and text

Pure: the same content gives the same bytes, so that a repeat is a repeat.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from core.alert_groups import Item, What
from core.alerts import AlertRule, Severity

Content = Mapping[str, Any]
"""What a delivery says, as it is stored."""

REASONS_MAX: Final = 20
"""Of one moment: more is not read in an alert."""

LINES_MAX: Final = 20
"""Moments that a text for people names; the others are counted."""

EVENT_TYPE: Final = "telemetra.alert"
SAMPLE: Final = "This is a test of the route. Nothing is wrong."

_FACTS: Final = (
    "moment_id",
    "stream_id",
    "moment_type",
    "metric_name",
    "description",
    "state",
    "started_at",
    "peak_at",
    "ended_at",
    "score",
    "metric_value",
    "expected",
    "z_score",
    "threshold",
    "direction",
)

_WORDS: Final = {
    What.OPENED: "",
    What.PASSED: "Over already: ",
    What.ENDED: "Over: ",
    What.WITHDRAWN: "Taken back: ",
}


def make_content(
    rule: AlertRule,
    group_key: str,
    items: Iterable[Item],
    moments: Mapping[str, Mapping[str, Any]],
    *,
    public_url: str,
    now: datetime,
) -> dict[str, Any]:
    """Return what a delivery says.

    Args:
        rule: Who says it.
        group_key: Of which moments.
        items: What is said of each.
        moments: As clients read them now.
        public_url: What links begin with; empty leaves them relative.
        now: When.
    """
    return _write_down(
        rule={"rule_id": rule.rule_id, "name": rule.name},
        severity=rule.severity,
        group=orjson.loads(group_key),
        told_at=now,
        moments=[_describe(item.what, moments[item.moment_id], public_url) for item in items],
    )


def make_sample(route_id: str, public_url: str, now: datetime) -> dict[str, Any]:
    """Return what a test of a route says: a moment that never was."""
    never = {
        "moment_id": "mom_" + "0" * 20,
        "stream_id": "test",
        "moment_type": "chat_spike",
        "metric_name": "chat_count",
        "description": SAMPLE,
        "state": "open",
        "started_at": now,
        "peak_at": now,
        "ended_at": now,
        "score": 1.0,
        "metric_value": 0.0,
        "expected": 0.0,
        "z_score": 0.0,
        "threshold": 1.0,
        "direction": "up",
        "reasons": [],
    }
    return _write_down(
        rule={"rule_id": "test", "name": f"Test of {route_id}"},
        severity=Severity.INFO,
        group={},
        told_at=now,
        moments=[_describe(What.PASSED, never, public_url)],
    )


def write_event(delivery_id: str, content: Content, public_url: str) -> bytes:
    """Return a delivery as a CloudEvent in structured mode."""
    event = {
        "specversion": "1.0",
        "id": delivery_id,
        "type": EVENT_TYPE,
        "source": f"{public_url}/api/v1/alert-rules/{content['rule']['rule_id']}",
        "subject": _name_subject(content),
        "time": content["told_at"],
        "datacontenttype": "application/json",
        "data": content,
    }
    return orjson.dumps(event, option=orjson.OPT_UTC_Z)


def write_alerts(content: Content, now: datetime, good_for: timedelta) -> list[dict[str, Any]]:
    """Return a delivery as Alertmanager takes it: an alert a moment.

    Args:
        content: What is said.
        now: When it is sent.
        good_for: How long an alert that goes on stands when nobody sends it again.
    """
    return [_write_alert(content, moment, now, good_for) for moment in content["moments"]]


def write_title(content: Content) -> str:
    """Return a line for people."""
    moments = content["moments"]
    rule = content["rule"]["name"]
    mark = "Over" if is_good_news(content) else str(content["severity"]).capitalize()
    if len(moments) == 1:
        return f"{mark}: {rule}: {moments[0]['moment_type']} in {moments[0]['stream_id']}"
    return f"{mark}: {rule}: {len(moments)} moments"


def write_text(content: Content) -> str:
    """Return some lines for people."""
    moments: Sequence[Mapping[str, Any]] = content["moments"]
    lines = [line for moment in moments[:LINES_MAX] for line in _list_lines(moment)]
    if len(moments) > LINES_MAX:
        lines.append(f"… and {len(moments) - LINES_MAX} more.")
    return "\n".join(lines)


def is_good_news(content: Content) -> bool:
    """Whether nothing goes on of what is said."""
    return all(moment["what"] != What.OPENED for moment in content["moments"])


def make_link(public_url: str, moment_id: str) -> str:
    """Return where the page shows a moment, however old it is by the time somebody looks."""
    return f"{public_url}/app/moments/{moment_id}"


def _write_down(**facts: object) -> dict[str, Any]:
    """Return facts as they are stored and sent: times as texts."""
    written: dict[str, Any] = orjson.loads(orjson.dumps(facts, option=orjson.OPT_UTC_Z))
    return written


def _describe(what: What, moment: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    return {
        "what": what,
        **{name: moment[name] for name in _FACTS},
        "reasons": list(moment["reasons"])[:REASONS_MAX],
        "link": make_link(public_url, moment["moment_id"]),
    }


def _name_subject(content: Content) -> str:
    streams = sorted({moment["stream_id"] for moment in content["moments"]})
    return streams[0] if len(streams) == 1 else f"{len(streams)} streams"


def _write_alert(
    content: Content, moment: Mapping[str, Any], now: datetime, good_for: timedelta
) -> dict[str, Any]:
    reasons = "; ".join(_list_reasons(moment))
    annotations = {
        "summary": f"{moment['moment_type']} in {moment['stream_id']}",
        "description": moment["description"],
        "reasons": reasons,
        "score": f"{moment['score']:g}",
        "value": f"{moment['metric_value']:g}",
        "expected": f"{moment['expected']:g}",
        "moment_id": moment["moment_id"],
        "link": moment["link"],
    }
    goes_on = moment["what"] == What.OPENED
    ends_at = now + good_for if goes_on else _read(moment["ended_at"] or content["told_at"])
    return {
        "labels": {
            "alertname": content["rule"]["name"],
            "severity": content["severity"],
            "stream": moment["stream_id"],
            "moment_type": moment["moment_type"],
            "metric": moment["metric_name"],
        },
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": _write_time(_read(moment["started_at"])),
        "endsAt": _write_time(ends_at),
        "generatorURL": moment["link"],
    }


def _list_lines(moment: Mapping[str, Any]) -> list[str]:
    words = _WORDS[What(moment["what"])]
    head = f"{words}{moment['description']} ({moment['stream_id']}, score {moment['score']:.3g})"
    reasons = (f"- {_calm(reason)}" for reason in _list_reasons(moment))
    return [_calm(head), *reasons, moment["link"], ""]


def _calm(text: str) -> str:
    """Return a text that calls nobody: what viewers wrote may stand in it, as @everyone."""
    return text.replace("@", "@\u200b")


def _list_reasons(moment: Mapping[str, Any]) -> list[str]:
    return [str(reason["text"]) for reason in moment["reasons"] if _has_text(reason)]


def _has_text(reason: object) -> bool:
    return isinstance(reason, Mapping) and bool(reason.get("text"))


def _read(time: datetime | str) -> datetime:
    return datetime.fromisoformat(time) if isinstance(time, str) else time


def _write_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
