"""Places: how the path of one dead letter is told from the other paths beside it.

Without this, ``/replay`` would be the id of a letter as well, and refused methods would name what
the path of a letter allows.
"""

from typing import Final

from starlette.convertors import Convertor, register_url_convertor
from typing_extensions import override

from core.dead_letters import LETTER_ID_PATTERN

KIND: Final = "letter"


class LetterConvertor(Convertor[str]):
    """Takes what can be the id of a letter."""

    regex = LETTER_ID_PATTERN.strip("^$")

    @override
    def convert(self, value: str) -> str:
        return value

    @override
    def to_string(self, value: str) -> str:
        return value


register_url_convertor(KIND, LetterConvertor())

ONE: Final = f"/{{letter_id:{KIND}}}"
"""The path of one letter below that of all."""
