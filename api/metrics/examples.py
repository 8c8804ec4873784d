"""Examples of metrics: what the pages of the API show."""

from typing import Any, Final

from api.examples import NO_STREAM, Responses, show_answer, show_problem
from api.formats import FILES

PATH: Final = "/api/v1/streams/northlight_live/metrics"
CHANNEL_PATH: Final = "/api/v1/streams/bench-07/channels/cell_3_temp/metrics"

ROW: Final[dict[str, Any]] = {
    "stream_id": "northlight_live",
    "window_start": "2026-01-26T10:30:00Z",
    "window_end": "2026-01-26T10:35:00Z",
    "chat_count": 1310,
    "unique_chatters": 212,
    "top_emotes": [{"emote": "PogChamp", "count": 402}, {"emote": "Kappa", "count": 61}],
    "avg_sentiment": 0.31,
    "chat_rate": 4.37,
    "avg_viewers": 48_110.4,
    "peak_viewers": 48_902.0,
    "z_score": None,
    "is_anomaly": None,
    "revision": 1855412307460096,
    "final": None,
}
CHANNEL_ROW: Final[dict[str, Any]] = {
    "stream_id": "bench-07",
    "channel": "cell_3_temp",
    "window_start": "2026-01-26T10:30:00Z",
    "window_end": "2026-01-26T10:35:00Z",
    "unit": "°C",
    "count": 300,
    "mean": 41.2,
    "min": 40.8,
    "max": 43.9,
    "stddev": 0.31,
    "p50": None,
    "p95": None,
    "last": 41.3,
    "z_score": None,
    "is_anomaly": None,
    "revision": 1855412307460096,
    "final": None,
}
_WRONG: Final = "resolution: Input should be '1m', '5m', '15m', '1h', '1d' or 'auto'"


def _show(row: dict[str, Any], path: str, missing: str) -> Responses:
    page = {"data": [row], "next_cursor": "MjAyNi0wMS0yNlQxMDozMDowMCswMDowMHw1bQ"}
    answer = show_answer(page | {"resolution": "5m"})
    answer[200]["content"] |= FILES
    return {
        **answer,
        **show_problem(404, path, missing),
        **show_problem(422, path, _WRONG, "resolution"),
    }


METRICS: Final = _show(ROW, PATH, NO_STREAM)
CHANNEL_METRICS: Final = _show(
    CHANNEL_ROW, CHANNEL_PATH, NO_STREAM.replace("northlight_live", "bench-07")
)
