"""Grammars: the sentences that can come, in JSGF, checked before a recogniser reads them.

    #JSGF V1.0; grammar bench; public <order> = (open | close) the [left] valve;

Pure. A part of JSGF: rules, alternatives, groups, options, repeats and weights; no imports, which
would read files, no tags, which say nothing of what is heard, and no rule that comes to itself,
which a recogniser would follow for ever.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from core.errors import FieldError, InvalidError

GRAMMAR_LENGTH_MAX: Final = 8192
WORDS_MAX: Final = 1000
"""Places of words when every rule is written out where it is used: a recogniser makes a state of
each, and its time grows with them."""

DEPTH_MAX: Final = 20
"""Brackets within brackets and rules within rules."""

_HEADER: Final = re.compile(r"\s*#JSGF\s+V1\.0[^;\n]*;\s*grammar\s+[\w.]{1,100}\s*;", re.ASCII)
_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s*(?:(<[\w.-]{1,64}>)|(/[0-9.]{1,12}/)|([A-Za-z][A-Za-z'._-]{0,63})|([=;|()\[\]*+]))",
    re.ASCII,
)


_CLOSING: Final = {"(": ")", "[": "]"}


@dataclass(slots=True)
class _Rule:
    """What a rule is made of."""

    words: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)


def list_words(grammar: str) -> list[str]:
    """Return the words of a grammar, each once, in the order in which they first come.

    Raises:
        InvalidError: It is no grammar that can be used; the text says why.
    """
    rules = _Parser(grammar).read()
    for name in rules:
        _measure(name, rules, ())
    return list(dict.fromkeys(word.lower() for rule in rules.values() for word in rule.words))


class _Parser:
    """Reads one grammar."""

    def __init__(self, grammar: str) -> None:
        if len(grammar) > GRAMMAR_LENGTH_MAX:
            raise _refuse(f"is longer than {GRAMMAR_LENGTH_MAX} signs")
        text = _COMMENT.sub(" ", grammar)
        header = _HEADER.match(text)
        if header is None:
            raise _refuse("begins with #JSGF V1.0; and grammar NAME;")
        self._tokens = [*_split(text[header.end() :])]
        self._at = 0

    def read(self) -> dict[str, _Rule]:
        """Return the rules by name."""
        rules: dict[str, _Rule] = {}
        has_public = False
        while self._peek() is not None:
            if self._peek() == "public":
                has_public = True
                self._next()
            name = self._next()
            if not name.startswith("<"):
                raise _refuse(f"has {name!r} where a rule begins, as public <name> = …;")
            if name in rules:
                raise _refuse(f"has the rule {name} twice")
            self._take("=")
            rules[name] = rule = _Rule()
            self._read_alternatives(rule, 0)
            self._take(";")
        if not has_public:
            raise _refuse("needs a rule that is public")
        return rules

    def _read_alternatives(self, rule: _Rule, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise _refuse(f"has more than {DEPTH_MAX} brackets within brackets")
        self._read_sequence(rule, depth)
        while self._peek() == "|":
            self._next()
            self._read_sequence(rule, depth)

    def _read_sequence(self, rule: _Rule, depth: int) -> None:
        count = 0
        while (token := self._peek()) not in {None, "|", ";", ")", "]", "="}:
            self._next()
            self._read_item(str(token), rule, depth)
            count += 1
        if count == 0:
            raise _refuse("has an alternative with nothing in it")

    def _read_item(self, token: str, rule: _Rule, depth: int) -> None:
        if token.startswith("/"):
            return
        if token in _CLOSING:
            self._read_alternatives(rule, depth + 1)
            self._take(_CLOSING[token])
        elif token in {"*", "+"}:
            raise _refuse(f"has {token} with nothing before it")
        else:
            (rule.uses if token.startswith("<") else rule.words).append(token)
        if self._peek() in {"*", "+"}:
            self._next()

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise _refuse("ends in the middle of a rule")
        self._at += 1
        return token

    def _take(self, wanted: str) -> None:
        if (found := self._next()) != wanted:
            raise _refuse(f"has {found!r} where {wanted!r} belongs")


def _split(text: str) -> Iterator[str]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise _refuse(f"has something unknown at {text[at : at + 20].strip()!r}")
        yield found[0].strip()
        at = found.end()


def _measure(name: str, rules: dict[str, _Rule], path: tuple[str, ...]) -> int:
    """Return the places of words of a rule with all that it uses."""
    if name in path:
        raise _refuse(f"has the rule {name} that comes to itself")
    if name not in rules:
        raise _refuse(f"uses the rule {name}, which it does not have")
    if len(path) > DEPTH_MAX:
        raise _refuse(f"has more than {DEPTH_MAX} rules within rules")
    rule = rules[name]
    # A rule without words counts too: else rules of rules would take for ever to write out.
    count = max(len(rule.words), 1)
    for used in rule.uses:
        count += _measure(used, rules, (*path, name))
        if count > WORDS_MAX:
            raise _refuse(f"has more than {WORDS_MAX} places of words when it is written out")
    return count


def _refuse(reason: str) -> InvalidError:
    text = f"it {reason}. It has to be JSGF; docs/speech.md shows some."
    return InvalidError(f"grammar: {text}", errors=[FieldError("grammar", text)])
