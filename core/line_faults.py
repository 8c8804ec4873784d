"""Line faults: what is wrong with a line that ``core.line_scans`` would not read.

The same rules once more, in the words of patterns: a line at a time, and only for lines that were
refused. Both say the same of every line; a test holds them together.
"""

import re
from typing import Final

from core.line_scans import TAGS_MAX

_MEASUREMENT: Final = re.compile(rb"(?:\\[, ]|[^, \n\0])*+")
_KEY: Final = re.compile(rb"(?:\\[=, ]|[^=, \n\0])*+")
_TEXT: Final = re.compile(rb'"(?:\\[^\n]|[^"\\]|\\(?=\n))*+"')
_PLAIN: Final = re.compile(rb"[^, \n\r\0]*+")
_BLANKS: Final = re.compile(rb"[ \t\r]*+")
_FLOAT: Final = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WHOLE: Final = re.compile(rb"([-+]?\d+)i|(\d+)u")
_TIME: Final = re.compile(rb"-?\d+")
_TRUTHS: Final = frozenset(b"t T true True TRUE f F false False FALSE".split())

_SHOWN_MAX: Final = 40
"""Of what is wrong, so many bytes are shown."""


class _FaultError(Exception):
    """Says what is wrong."""


def explain_line(line: bytes, unit: int) -> str | None:
    """Return what is wrong with a line without the break at its end; None when nothing is.

    Args:
        line: The line, perhaps with breaks in its texts.
        unit: How many nanoseconds its time counts.
    """
    try:
        at = _match(_MEASUREMENT, line, 0)
        _require(at > 0, line, at, "the measurement is missing")
        at = _check_tags(line, at)
        at = _check_fields(line, at)
        _check_time(line, at, unit)
    except _FaultError as fault:
        return str(fault)
    return None


def _match(pattern: re.Pattern[bytes], line: bytes, at: int) -> int:
    """Return where ends what begins at a place."""
    found = pattern.match(line, at)
    return at if found is None else found.end()


def _require(holds: bool, line: bytes, at: int, fault: str) -> None:
    """Refuse a line that breaks a rule at a place.

    Raises:
        _FaultError: It does.
    """
    if not holds:
        is_null = line[at : at + 1] == b"\0"
        raise _FaultError("a null byte, or one that is not UTF-8" if is_null else fault)


def _check_tags(line: bytes, at: int) -> int:
    """Return where the tags of a line end that are right."""
    keys: set[bytes] = set()
    while line[at : at + 1] == b",":
        begin, at = at + 1, _match(_KEY, line, at + 1)
        key = line[begin:at]
        _require(at > begin, line, at, "a tag has no key")
        _require(line[at : at + 1] == b"=", line, at, f"the tag {_show(key)} has no =")
        begin, at = at + 1, _match(_KEY, line, at + 1)
        _require(at > begin, line, at, f"the tag {_show(key)} has no value")
        _require(key not in keys, line, begin, f"the tag {_show(key)} stands twice")
        _require(len(keys) < TAGS_MAX, line, begin, f"there are more than {TAGS_MAX} tags")
        keys.add(key)
    is_over = line[at : at + 1] == b" "
    equals = line[at : at + 1] == b"="
    _require(
        is_over, line, at, "a tag has a = in its value" if equals else "the fields are missing"
    )
    return at


def _check_fields(line: bytes, at: int) -> int:
    """Return where the fields of a line end that are right."""
    begin = _match(_BLANKS, line, at)
    _require(begin < len(line), line, begin, "the fields are missing")
    while True:
        at = _match(_KEY, line, begin)
        key = line[begin:at]
        _require(at > begin, line, at, "a field has no key")
        _require(line[at : at + 1] == b"=", line, at, f"the field {_show(key)} has no =")
        at = _check_value(line, at + 1, key)
        if line[at : at + 1] != b",":
            return at
        begin = at + 1


def _check_value(line: bytes, begin: int, key: bytes) -> int:
    """Return where the value of a field ends that is right."""
    if line[begin : begin + 1] == b'"':
        end = _match(_TEXT, line, begin)
        _require(end > begin, line, end, f"the text of the field {_show(key)} has no end")
        return end
    end = _match(_PLAIN, line, begin)
    value = line[begin:end]
    whole = _WHOLE.fullmatch(value)
    if whole is not None:
        _require(_fits(whole), line, begin, f"{_show(value)} does not fit 64 bits")
    else:
        is_good = value in _TRUTHS or _FLOAT.fullmatch(value) is not None
        words = f"the field {_show(key)} is {_show(value)}, which is no number, truth or text"
        _require(is_good, line, end, words)
    return end


def _fits(whole: re.Match[bytes]) -> bool:
    signed, unsigned = whole.groups()
    if signed is None:
        return _is_between(unsigned, 0, 2**64 - 1)
    return _is_between(signed, -(2**63), 2**63 - 1)


def _is_between(digits: bytes, least: int, most: int) -> bool:
    sign, rest = digits[: -len(digits.lstrip(b"-+")) or None], digits.lstrip(b"-+").lstrip(b"0")
    # Python would refuse to read thousands of digits, and anything over twenty is too large.
    number = int(rest or b"0") if len(rest) <= 20 else most + 1
    return least <= (-number if b"-" in sign else number) <= most


def _check_time(line: bytes, at: int, unit: int) -> None:
    _require(line[at : at + 1] in {b"", b" ", b"\r"}, line, at, "something stands behind a text")
    at = _match(_BLANKS, line, at)
    if at == len(line):
        return
    end = _match(_PLAIN, line, at)
    time = line[at:end]
    _require(_TIME.fullmatch(time) is not None, line, end, f"the time {_show(time)} is no number")
    most = (2**63 - 1) // unit
    _require(_is_between(time, -most, most), line, end, f"the time {_show(time)} is out of range")
    end = _match(_BLANKS, line, end)
    _require(end == len(line), line, end, "something stands behind the time")


def _show(part: bytes) -> str:
    text = part[:_SHOWN_MAX].decode(errors="replace")
    return repr(text if len(part) <= _SHOWN_MAX else f"{text}…")
