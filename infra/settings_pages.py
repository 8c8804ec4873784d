"""Settings pages: ``.env.example`` and ``docs/settings.md``, written from the settings themselves.

``make docs`` writes them; a test fails when they are old.
"""

import types
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from core.settings import REPOSITORY, Settings

ENV_EXAMPLE: Final = REPOSITORY / ".env.example"
PAGE: Final = REPOSITORY / "docs" / "settings.md"

_ENV_HEAD: Final = """\
# Every setting of Telemetra with its default. Copy to .env and uncomment what you change.
# A wrong value stops the start and names what is allowed.
"""

_PAGE_HEAD: Final = """\
# Settings

Settings come from the environment or from `.env` in the source tree; the environment wins. A wrong
value stops the start with its name and what is allowed. Lists are separated by commas. This page
and `.env.example` are written by `make docs` from `core/settings.py`.

| setting | default | allowed | meaning |
|---|---|---|---|
"""


def render_env_example() -> str:
    """Return the text of ``.env.example``."""
    parts = [
        f"\n# {field.description}\n# {name.upper()}={_write(field.default)}\n"
        for name, field in Settings.model_fields.items()
    ]
    return _ENV_HEAD + "".join(parts)


def render_page() -> str:
    """Return the text of ``docs/settings.md``."""
    rows = [
        f"| `{name.upper()}` | {_quote(_write(field.default))} | {describe_allowed(field)} |"
        f" {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return _PAGE_HEAD + "".join(rows)


def describe_allowed(field: FieldInfo) -> str:
    """Return what a setting may be, in words."""
    kind = _without_none(field.annotation)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if kind is bool:
        return "`true`, `false`"
    if kind in {int, float}:
        low = next((item.ge for item in field.metadata if isinstance(item, Ge)), None)
        high = next((item.le for item in field.metadata if isinstance(item, Le)), None)
        return f"{low} to {high}" if high is not None else f"{low} and more"
    return {Path: "a folder"}.get(kind, "a list" if get_origin(kind) is tuple else "text")


def _without_none(kind: Any) -> Any:  # noqa: ANN401 (an annotation may be anything)
    if isinstance(kind, types.UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def _write(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quote(text: str) -> str:
    return f"`{text}`" if text else "empty"


def main() -> None:
    """Write both files."""
    ENV_EXAMPLE.write_text(render_env_example(), encoding="utf-8")
    PAGE.write_text(render_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
