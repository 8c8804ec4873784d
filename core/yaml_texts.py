"""YAML texts: what people write by hand, read as they mean it, within limits.

``on``, ``off``, ``yes`` and ``no`` are words, dates are texts, as in YAML 1.2; nothing stands for
something elsewhere in the text, so that a small text cannot become a large one. Pure. Used for
scripts and for descriptions of devices.
"""

import re
from typing import Any, Final

import yaml  # type: ignore[import-untyped,unused-ignore]

from core.errors import InvalidError

TEXT_BYTES_MAX: Final = 262_144

_KEPT: Final = ("tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:null")


class _Loader(yaml.SafeLoader):  # type: ignore[misc,unused-ignore]
    """Reads only what JSON could say, too."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - as the library has it.
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(
                None, None, "a reference (*) is not allowed", event.start_mark
            )
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read_yaml(text: str) -> Any:  # noqa: ANN401 - any JSON.
    """Return what a text says.

    Raises:
        InvalidError: It is no YAML, or longer than people write; the text says in which line.
    """
    node = compose_yaml(text)
    return None if node is None else build_yaml(node)


def compose_yaml(text: str) -> Any:  # noqa: ANN401 - a node of the library, with its lines.
    """Return the nodes of a text, which know their lines; None for an empty one.

    Raises:
        InvalidError: As for ``read_yaml``.
    """
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        raise InvalidError(f"The text is longer than {TEXT_BYTES_MAX} bytes.")
    try:
        return yaml.compose(text, Loader=_Loader)
    except RecursionError:
        raise InvalidError("The text is nested too deeply.") from None
    except yaml.YAMLError as error:
        raise InvalidError(_explain(error)) from error


def build_yaml(node: Any) -> Any:  # noqa: ANN401 - any JSON.
    """Return what a node says.

    Raises:
        InvalidError: As for ``read_yaml``.
    """
    builder = _Loader("")
    try:
        return builder.construct_document(node)
    except RecursionError:
        raise InvalidError("The text is nested too deeply.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidError(_explain(error)) from error


def _explain(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    place = "" if mark is None else f"line {mark.line + 1}: "
    return f"{place}{' '.join(problem.split())}"
