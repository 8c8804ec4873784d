"""Bodies: what is announced, with the time and a number in places that are found without parsing.

{"type":"metrics","at":1000012345678901234,"number":1000000007,"stream_id":…,"data":{…}}
"""

import time
from typing import Final

import orjson

from api.metrics.examples import ROW
from core.live import LiveMessage

AT: Final = b'"at":'
AT_DIGITS: Final = 19
NUMBER_AFTER: Final = len(AT) + AT_DIGITS + len(b',"number":')
"""Where the number begins, seen from where ``at`` does."""

NUMBER_DIGITS: Final = 10
FIRST_NUMBER: Final = 1_000_000_000
FIRST_MOMENT: Final = 5_000_000_000
"""Moments count from here, so that a number tells what it counts."""

_EPOCH: Final = 10**18
"""Added to the clock so that it always has as many digits."""

_DATA: Final = orjson.dumps(ROW)


def read_clock() -> int:
    """Return nanoseconds that mean the same in all processes of this machine."""
    return _EPOCH + time.monotonic_ns()


def make_message(kind: str, stream_id: str, number: int) -> LiveMessage:
    """Return a message as large as those of the flow are, sent now."""
    body = b'{"type":"%s","at":%d,"number":%d,"stream_id":"%s","data":%s}' % (
        kind.encode(),
        read_clock(),
        number,
        stream_id.encode(),
        _DATA,
    )
    return LiveMessage(stream_id, kind, stream_id, body)
