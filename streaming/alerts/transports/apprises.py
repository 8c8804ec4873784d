"""Apprises: chats, mails and a hundred other services, through the library of that name.

It blocks, so it works in threads of its own, and it is given the time of the route. A thread that
it leaves behind ends with the time-outs of its socket.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from apprise import Apprise, AppriseAsset, NotifyType

from core.alert_messages import is_good_news, write_text, write_title
from core.alert_routes import AlertRoute, hide_secrets
from core.alerts import Severity
from core.deliveries import Attempt, Outcome, cut_detail
from streaming.alerts.transports.base import Message

THREADS_MAX: Final = 16
"""Messages to such services at once; four of each of four routes."""

KINDS: Final = {
    Severity.INFO: NotifyType.INFO,
    Severity.WARNING: NotifyType.WARNING,
    Severity.CRITICAL: NotifyType.FAILURE,
}


class AppriseTransport:
    """Hands messages to Apprise."""

    def __init__(self) -> None:
        # What it logs may name targets; what matters of it is in its result.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        # It reads its hundred services when it is first used, which the first message would pay.
        Apprise.instantiate("json://localhost")
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="apprise")

    async def send(self, route: AlertRoute, message: Message) -> Attempt:
        """Send a title and a text."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _notify, route, message)

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _notify(route: AlertRoute, message: Message) -> Attempt:
    service = Apprise(
        asset=AppriseAsset(app_id="Telemetra", app_desc="Telemetra", async_mode=False)
    )
    if not service.add(route.target):
        return Attempt(Outcome.REFUSED, None, "Apprise does not know such a target.")
    content = message.content
    kind = NotifyType.SUCCESS if is_good_news(content) else KINDS[Severity(content["severity"])]
    result = service.notify(
        title=write_title(content),
        body=write_text(content),
        body_format="text",
        notify_type=kind,
        timeout=route.time_out_s,
    )
    if result:
        return Attempt(Outcome.DELIVERED)
    said = "; ".join(entry.message for entry in result.logs())
    return Attempt(Outcome.RETRIED, None, cut_detail(hide_secrets(said, route.target)))
