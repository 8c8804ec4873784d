"""``telemetra tail STREAM``: one stream as it happens, in a terminal or as lines for programs."""

import sys
from collections.abc import Iterator
from typing import Annotated, Final
from urllib.parse import quote

import orjson
import typer
from rich.console import Console
from rich.live import Live

from core.clock import SystemClock
from core.errors import ServiceMissingError
from core.settings import load_settings
from infra.cli.api_calls import ApiCaller, open_api
from infra.cli.followed_streams import MINUTES_MAX, MOMENTS_MAX, FollowedStream
from infra.cli.live_links import LiveLink, Message
from infra.cli.tail_tables import show_stream, write_heads, write_line

app = typer.Typer(rich_markup_mode=None)

KINDS_SHOWN: Final = ("metrics", "minute", "reading", "moment", "stream", "chat")
KINDS_PIPED: Final = ("minute", "reading", "moment", "stream")
INTERRUPTED: Final = 130


@app.command()
def tail(
    stream: Annotated[str, typer.Argument(help="The id of a stream.")],
    *,
    url: Annotated[str | None, typer.Option(help="The API (the one that runs here).")] = None,
    api_key: Annotated[
        str | None, typer.Option(help="For an API that asks for one (API_KEY).", metavar="KEY")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Live messages, one a line.")] = False,
) -> None:
    """Watch a stream: rate, viewers, mood, moments and what is said.

    Into a pipe it writes one line for each complete minute, reading and moment, with tabs between
    the columns. It goes on until Ctrl-C, also when the API is away for a while.

    Example: telemetra tail northlight_live
    """
    with open_api(load_settings(), url, api_key) as api:
        followed = FollowedStream(stream)
        try:
            _catch_up(api, followed)
            is_picture = sys.stdout.isatty() and not json
            link = LiveLink(api, stream, KINDS_SHOWN if is_picture or json else KINDS_PIPED)
            if is_picture:
                _draw(api, link, followed)
            else:
                _write(link, as_json=json)
        except BrokenPipeError:
            # Who reads has enough, as `head` has; there is nowhere left to say it.
            sys.stderr.close()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def _catch_up(api: ApiCaller, followed: FollowedStream) -> None:
    """Read the last hour."""
    path = f"/streams/{quote(followed.stream_id, safe='')}"
    stream = api.get(path, {})
    minutes = api.get(f"{path}/metrics", {"resolution": "1m", "limit": MINUTES_MAX})["data"]
    moments = api.get(f"{path}/moments", {"limit": MOMENTS_MAX})["data"]
    followed.learn(stream, minutes, moments)


def _draw(api: ApiCaller, link: LiveLink, followed: FollowedStream) -> None:
    clock, console = SystemClock(), Console()

    def show() -> None:
        picture = show_stream(followed, is_connected=link.is_connected, now=clock.now())
        live.update(picture, refresh=True)

    with Live(console=console, auto_refresh=False) as live:
        show()
        for message in link.listen():
            if message is not None:
                _take(api, followed, message)
            show()


def _take(api: ApiCaller, followed: FollowedStream, message: Message) -> None:
    followed.hear(message)
    if message["type"] == "resumed" and not message["complete"]:
        # More was missed than the API keeps for who comes back.
        try:
            _catch_up(api, followed)
        except ServiceMissingError:
            return


def _write(link: LiveLink, *, as_json: bool) -> None:
    if not as_json:
        _print_all(write_heads())
    for message in link.listen():
        if message is None:
            continue
        if as_json:
            _print_all([orjson.dumps(message).decode()])
        elif (line := write_line(message)) is not None:
            _print_all([line])


def _print_all(lines: "Iterator[str] | list[str]") -> None:
    for line in lines:
        typer.echo(line)
