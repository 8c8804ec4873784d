"""Targets of Apprise: whether the library knows them.

It is imported when it is first asked: most copies of the API never need it.
"""

import asyncio
import logging

from core.errors import InvalidError


async def require_known(target: str) -> None:
    """Let a target pass that Apprise can send to, as far as its text says.

    Raises:
        InvalidError: It knows no such service, or a part is missing.
    """
    if not await asyncio.to_thread(_is_known, target):
        raise InvalidError(
            "target: Apprise knows no such service, or a part of it is missing. Its documentation"
            " lists the URL of each service."
        )


def _is_known(target: str) -> bool:
    from apprise import Apprise  # noqa: PLC0415

    # What it cannot read it would log whole.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return Apprise.instantiate(target) is not None
