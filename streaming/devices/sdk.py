"""Devices of Telemetra: send telemetry, carry out commands, stay connected.

    device = Device("bench_1", url="http://127.0.0.1:8000", api_key="…")
    device.telemetry("temperature", "°C", "float", min=-40, max=120)

    @device.command("set_heater", timeout_seconds=5)
    async def set_heater(power: int) -> str: ...

    device.run(measure)

This file stands alone: copy it next to your script. It wants Python 3.11 and ``websockets`` 15.
"""

# What devices measure and answer is any JSON.
# ruff: noqa: ANN401

import asyncio
import contextlib
import inspect
import json
import logging
import random
import signal
import threading
import typing
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

log = logging.getLogger("telemetra.device")

BATCH_S: Final = 0.05
"""So long a point waits for others to travel with."""

POINTS_A_MESSAGE_MAX: Final = 500
POINTS_HELD_MAX: Final = 50_000
"""Points kept while the server is away, some 10 MB; the oldest make room, and are counted."""

TOLD_HELD_MAX: Final = 1000
"""Messages, and results, kept until they are sent or taken."""

RUNNING_MAX: Final = 32
"""Commands carried out at a time; one more is refused."""

REMEMBERED_MAX: Final = 1000
"""Commands whose results are known, so that a repeat is answered and not done again."""

VALUE_BYTES_MAX: Final = 16_384
MESSAGE_LENGTH_MAX: Final = 2_000
DETAILS_BYTES_MAX: Final = 60_000
"""What the server takes: a result that is longer would be said again for ever."""

OPEN_S_MAX: Final = 10.0
PAUSE_S_MIN: Final = 0.5
PAUSE_S_MAX: Final = 30.0
FLUSH_S_MAX: Final = 2.0
"""What is left to be said when the device stops."""

REFUSED_CODES: Final = {4400, 4401, 4403, 4409}
"""Bad registration, bad key, not this key's device, replaced: another try brings nothing."""

REFUSED_STATUSES: Final = {401, 403}

TYPES: Final = {str: "string", float: "float", int: "int", bool: "boolean"}
UNKNOWN: Final = "The device was restarted while it did this; whether it was done is not known."

Function = TypeVar("Function", bound=Callable[..., Any])
Result = dict[str, Any]
Key = tuple[str, str]
"""A command and a stage of it, or nothing and the number of a message."""


class DeviceError(Exception):
    """The server refuses this device, or something about it is declared wrongly."""


@dataclass(slots=True)
class Command:
    """A command that is carried out; a handler that wants it has a parameter of this type."""

    command_id: str
    name: str
    parameters: dict[str, Any]
    deadline_at: str | None
    _tell: Callable[..., None] = field(repr=False)
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def is_cancelled(self) -> bool:
        """Whether it is not wanted any more; for handlers that are no coroutines."""
        return self._cancelled.is_set()

    def progress(self, message: str, **details: Any) -> None:
        """Tell how far it is; from any thread."""
        self._tell(self.command_id, "running", message, details)


@dataclass(frozen=True, slots=True)
class _Handler:
    function: Callable[..., Any]
    wants: str | None
    """The parameter that takes the command itself."""


class _Memory:
    """What became of commands; in a file it outlives the process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._results: OrderedDict[str, Result | None] = OrderedDict()
        if path is not None and path.exists():
            try:
                self._results.update(json.loads(path.read_text(encoding="utf-8")))
            except (TypeError, ValueError) as error:
                raise DeviceError(f"{path} is no memory of a device; move it away.") from error

    def find(self, command_id: str) -> Result | None:
        """Return the result of a command that was begun; None for a new one."""
        if command_id not in self._results:
            return None
        return self._results[command_id] or {"stage": "failed", "message": UNKNOWN}

    def keep(self, command_id: str, result: Result | None) -> None:
        """Note that a command is begun, or how it ended."""
        self._results[command_id] = result
        while len(self._results) > REMEMBERED_MAX:
            self._results.popitem(last=False)
        if self._path is not None:
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(self._results), encoding="utf-8")
            draft.replace(self._path)


class _Outbox:
    """What the server is still to be told; filled from any thread."""

    def __init__(self, points_max: int) -> None:
        self._lock = threading.Lock()
        self._points_max = points_max
        self._points: deque[str] = deque()
        self._told: OrderedDict[Key, str] = OrderedDict()
        self._unsent: set[Key] = set()
        self._messages = 0
        self.dropped = 0

    @property
    def is_empty(self) -> bool:
        """Whether all of it has left."""
        return not (self._points or self._unsent)

    def add_point(self, text: str) -> None:
        """Keep a point until it has left."""
        with self._lock:
            self._points.append(text)
            self._make_room()

    def take_points(self) -> list[str]:
        """Return the oldest points, enough for a message."""
        with self._lock:
            count = min(len(self._points), POINTS_A_MESSAGE_MAX)
            return [self._points.popleft() for _ in range(count)]

    def put_back(self, points: list[str]) -> None:
        """Take points that did not leave, before all others."""
        with self._lock:
            self._points.extendleft(reversed(points))
            self._make_room()

    def add(self, text: str, command_id: str = "", stage: str = "") -> None:
        """Keep a result until it is taken, the later one of a stage, or a message until it left."""
        with self._lock:
            self._messages += not command_id
            key = command_id, stage or str(self._messages)
            self._told[key] = text
            self._unsent.add(key)
            while len(self._told) > TOLD_HELD_MAX:
                self._unsent.discard(self._told.popitem(last=False)[0])

    def begin(self) -> None:
        """Begin a connection: what was not taken in the one before is sent again."""
        dropped, self.dropped = self.dropped, 0
        if dropped:
            told = {"message": "points_dropped", "details": {"count": dropped}}
            self.add(json.dumps({"type": "message", **told}))
        with self._lock:
            self._unsent = set(self._told)

    def take_unsent(self) -> list[tuple[Key, str]]:
        """Return results and messages that are to leave, in their order."""
        with self._lock:
            taken = [(key, text) for key, text in self._told.items() if key in self._unsent]
            self._unsent.clear()
        return taken

    def forget(self, key: Key) -> None:
        """Let go of what has arrived, unless there is news of it."""
        with self._lock:
            if key not in self._unsent:
                self._told.pop(key, None)

    def _make_room(self) -> None:
        while len(self._points) > self._points_max:
            self._points.popleft()
            self.dropped += 1


class Device:
    """A device, as Telemetra knows it."""

    def __init__(  # noqa: PLR0913 - all but the first are for some only.
        self,
        device_id: str,
        *,
        url: str = "http://127.0.0.1:8000",
        api_key: str | None = None,
        title: str | None = None,
        kind: str | None = None,
        memory: Path | None = None,
        points_held_max: int = POINTS_HELD_MAX,
    ) -> None:
        """Describe a device.

        Args:
            device_id: Its name for ever, the stream of its telemetry.
            url: The server, http, https, ws or wss.
            api_key: A key with the scope ingest.
            title: What people call it.
            kind: What sort of thing it is.
            memory: A file of its own, in which a restart finds what was done already.
            points_held_max: Points to keep while the server is away.
        """
        self.device_id = device_id
        self._url = _name_socket(url, device_id)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._about = {"title": title, "kind": kind}
        self._types: dict[str, dict[str, Any]] = {}
        self._templates: dict[str, dict[str, Any]] = {}
        self._handlers: dict[str, _Handler] = {}
        self._memory = _Memory(memory)
        self._outbox = _Outbox(points_held_max)
        self._running: dict[str, tuple[Command, asyncio.Task[None]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told, self._measured = asyncio.Event(), asyncio.Event()
        self.connected = asyncio.Event()
        """Set while the server has taken the registration and the connection holds."""

    def telemetry(
        self,
        telemetry_id: str,
        unit: str | None = None,
        data_type: str = "float",
        **more: Any,
    ) -> None:
        """Declare what is measured: its unit, its type, and min, max, enum or description."""
        limits = {name: more.pop(name) for name in ("min", "max") if more.get(name) is not None}
        if unknown := more.keys() - {"enum", "description", "min", "max"}:
            raise DeviceError(f"telemetry {telemetry_id!r} has no option {min(unknown)!r}.")
        about = {"unit": unit, "range": limits or None, **more}
        kept = {name: value for name, value in about.items() if value is not None}
        self._types[telemetry_id] = {"data_type": data_type, **kept}

    def command(
        self,
        name: str,
        *,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        **about: Any,
    ) -> Callable[[Function], Function]:
        """Let a function, or a coroutine, carry out a command.

        Args:
            name: What the command is called.
            parameters: Of each what its type hint does not say: min, max, enum, description …
            about: description, dangerous, timeout_seconds and verifiers of the command.
        """

        def declare(function: Function) -> Function:
            wants, found = _read_parameters(function, parameters or {})
            described = {"description": _first_line(function), **about}
            template = {key: value for key, value in described.items() if value is not None}
            self._templates[name] = {**template, "parameters": found}
            self._handlers[name] = _Handler(function, wants)
            return function

        return declare

    async def send(self, telemetry_id: str, value: Any, at: datetime | None = None) -> None:
        """Send a value; it leaves within 50 ms, or is kept while the server is away."""
        self.post(telemetry_id, value, at)
        # Who sends in a loop without a pause lets others have their turn.
        await asyncio.sleep(0)

    def post(self, telemetry_id: str, value: Any, at: datetime | None = None) -> None:
        """Send a value as ``send`` does, from any thread."""
        if telemetry_id not in self._types:
            raise DeviceError(f"{telemetry_id!r} is not declared: device.telemetry(…) first.")
        # Nothing of the project is here to take a clock from, and none is wanted.
        taken_at = at or datetime.now(UTC)  # noqa: TID251
        point = {"id": telemetry_id, "value": value, "timestamp": taken_at.isoformat()}
        try:
            text = _encode(point)
        except (TypeError, ValueError) as error:
            raise DeviceError(f"{telemetry_id}: {value!r} cannot be sent: {error}.") from error
        if len(text) > VALUE_BYTES_MAX:
            raise DeviceError(f"{telemetry_id}: a value has at most {VALUE_BYTES_MAX} bytes.")
        self._outbox.add_point(text)
        self._wake(self._measured)

    def tell(self, message: str, **details: Any) -> None:
        """Say something to whoever watches; from any thread."""
        told = {"type": "message", "message": message, "details": details}
        self._outbox.add(_write(told))
        self._wake(self._told)

    def run(self, *beside: Callable[[], Awaitable[None]]) -> None:
        """Stay connected, and run coroutines beside it, until Ctrl-C or SIGTERM.

        Raises:
            DeviceError: The server refuses the device.
        """
        asyncio.run(run_until_told(self.serve(*beside)))

    async def serve(self, *beside: Callable[[], Awaitable[None]]) -> None:
        """Do the same within a loop that runs, until cancelled."""
        self._loop = asyncio.get_running_loop()
        link = asyncio.ensure_future(self._stay_connected())
        others = [asyncio.ensure_future(each()) for each in beside]
        try:
            done, _ = await asyncio.wait({link, *others}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await _end(others)
            await _end([task for _, task in self._running.values()])
            if self.connected.is_set():
                await self._flush()
            await _end([link])

    async def _stay_connected(self) -> None:
        pause_s = PAUSE_S_MIN
        while True:
            try:
                async with connect(
                    self._url,
                    additional_headers=self._headers,
                    open_timeout=OPEN_S_MAX,
                    proxy=None,
                ) as socket:
                    heartbeat_s = await self._register(socket)
                    pause_s = PAUSE_S_MIN
                    await self._talk(socket, heartbeat_s)
            except (OSError, WebSocketException, ValueError, KeyError, TypeError) as error:
                _raise_refused(error)
                log.warning("%s: the server is away (%s); trying again", self.device_id, error)
            finally:
                self.connected.clear()
            # Many devices that lost the same server do not come back at the same instant.
            await asyncio.sleep(random.uniform(0.5, 1) * pause_s)  # noqa: S311
            pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def _register(self, socket: ClientConnection) -> float:
        """Say what the device is; return the seconds between two heartbeats."""
        about = {name: text for name, text in self._about.items() if text is not None}
        declared = {"telemetry_types": self._types, "command_templates": self._templates}
        await socket.send(json.dumps({"type": "register", **about, **declared}))
        async with asyncio.timeout(OPEN_S_MAX):
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "registered":
                    return float(message["heartbeat_seconds"])
                self._hear(message)

    async def _talk(self, socket: ClientConnection, heartbeat_s: float) -> None:
        self._outbox.begin()
        self._told.set()
        self._measured.set()
        self.connected.set()
        log.info("%s: connected", self.device_id)
        sending = [
            asyncio.ensure_future(self._send_told(socket)),
            asyncio.ensure_future(self._send_points(socket)),
            asyncio.ensure_future(_send_heartbeats(socket, heartbeat_s / 2)),
        ]
        try:
            while True:
                self._hear(json.loads(await socket.recv()))
        finally:
            await _end(sending)

    async def _send_told(self, socket: ClientConnection) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            for key, text in self._outbox.take_unsent():
                await socket.send(text)
                if key[0] == "":
                    self._outbox.forget(key)

    async def _send_points(self, socket: ClientConnection) -> None:
        while True:
            await self._measured.wait()
            await asyncio.sleep(BATCH_S)
            self._measured.clear()
            while points := self._outbox.take_points():
                try:
                    await socket.send(f'{{"type":"points","points":[{",".join(points)}]}}')
                except BaseException:
                    self._outbox.put_back(points)
                    raise

    def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "command":
                self._take_command(message)
            case "cancel":
                self._cancel(message["command_id"])
            case "result_taken":
                self._outbox.forget((message["command_id"], message["stage"]))
            case "refused":
                log.warning("%s: points refused: %s", self.device_id, message["errors"])
            case "error":
                log.error("%s: %s", self.device_id, message["detail"])

    def _take_command(self, message: dict[str, Any]) -> None:
        command_id, name = message["command_id"], message["command"]
        if command_id in self._running:
            # Its stages were sent again when the connection began.
            return
        if (known := self._memory.find(command_id)) is not None:
            self._tell_result(command_id, **known)
            return
        if name not in self._handlers:
            self._tell_result(command_id, "failed", f"The device knows no command {name!r}.")
            return
        if len(self._running) >= RUNNING_MAX:
            self._tell_result(command_id, "failed", f"The device does {RUNNING_MAX} at a time.")
            return
        given = message.get("parameters") or {}
        command = Command(command_id, name, given, message.get("deadline_at"), self._tell_result)
        self._running[command_id] = command, asyncio.ensure_future(self._carry_out(command))

    async def _carry_out(self, command: Command) -> None:
        result: Result = {"stage": "failed", "message": "The device was stopped."}
        try:
            self._memory.keep(command.command_id, None)
            self._tell_result(command.command_id, "acknowledged")
            result = _read_outcome(await self._call(command))
        except asyncio.CancelledError:
            if not command.is_cancelled:
                raise
            result["message"] = "cancelled"
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its result.
            log.warning("%s: %s failed: %r", self.device_id, command.name, error)
            result["message"] = str(error) or type(error).__name__
        finally:
            self._running.pop(command.command_id, None)
            self._memory.keep(command.command_id, result)
            self._tell_result(command.command_id, **result)

    async def _call(self, command: Command) -> object:
        handler = self._handlers[command.name]
        given = command.parameters | ({handler.wants: command} if handler.wants else {})
        if inspect.iscoroutinefunction(handler.function):
            return await handler.function(**given)
        # A function may block, and what it does cannot be broken off: its outcome is the truth.
        return await asyncio.to_thread(handler.function, **given)

    def _cancel(self, command_id: str) -> None:
        if command_id not in self._running:
            return
        command, task = self._running[command_id]
        command._cancelled.set()  # noqa: SLF001 - ours.
        if inspect.iscoroutinefunction(self._handlers[command.name].function):
            task.cancel()

    def _tell_result(
        self,
        command_id: str,
        stage: str,
        message: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        told = {"type": "result", "command_id": command_id, "stage": stage}
        more = {"message": message, "details": details}
        kept = {name: value for name, value in more.items() if value}
        self._outbox.add(_write({**told, **kept}), command_id, stage)
        self._wake(self._told)

    def _wake(self, event: asyncio.Event) -> None:
        if self._loop is not None and not event.is_set():
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody is left to hear.
                self._loop.call_soon_threadsafe(event.set)

    async def _flush(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S_MAX):
                while self.connected.is_set() and not self._outbox.is_empty:  # noqa: ASYNC110
                    await asyncio.sleep(BATCH_S)


async def run_until_told(work: Coroutine[Any, Any, None]) -> None:
    """Do work until it is over, or until Ctrl-C or SIGTERM."""
    working = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _send_heartbeats(socket: ClientConnection, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await socket.send('{"type":"heartbeat"}')


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def _encode(told: object, default: Callable[[object], str] | None = None) -> str:
    # Half a sign, as some sources have it, would make the whole message unreadable.
    text = json.dumps(told, default=default, allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


def _write(told: dict[str, Any]) -> str:
    """Write a result or a message so that the server can take it."""
    message, details = told.get("message"), told.get("details")
    if message is not None:
        told["message"] = str(message)[:MESSAGE_LENGTH_MAX].replace("\0", "")
    try:
        if len(written := _encode(details, str)) > DETAILS_BYTES_MAX or "\\u0000" in written:
            told["details"] = {"left_out": f"{len(written)} bytes, or a null character in them"}
        return _encode(told, str)
    except (TypeError, ValueError):
        # Details that are no JSON are told as Python shows them.
        shown = repr(details)[:MESSAGE_LENGTH_MAX]
        return _encode({**told, "details": {"text": shown}})


def _name_socket(url: str, device_id: str) -> str:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in {"ws", "wss"} or not parts.hostname:
        raise DeviceError(f"{url!r} is no address like http://127.0.0.1:8000.")
    path = f"{parts.path.rstrip('/')}/ws/devices/{quote(device_id, safe='')}"
    return f"{scheme}://{parts.netloc}{path}"


def _read_parameters(
    function: Callable[..., Any], given: Mapping[str, Mapping[str, Any]]
) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """Return which parameter takes the command itself, and what all others are."""
    hints = typing.get_type_hints(function)
    wants, found, takes_any = None, {}, False
    for name, parameter in inspect.signature(function).parameters.items():
        if hints.get(name) is Command:
            wants = name
        elif parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        else:
            found[name] = _describe(parameter, hints.get(name)) | dict(given.get(name, {}))
    for name in given.keys() - found.keys():
        if not takes_any:
            raise DeviceError(f"{function.__name__} has no parameter {name!r}.")
        found[name] = dict(given[name])
    if untyped := [name for name, about in found.items() if "type" not in about]:
        raise DeviceError(f"{function.__name__}: of which type is {untyped[0]!r}?")
    return wants, found


def _describe(parameter: inspect.Parameter, hint: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"required": parameter.default is parameter.empty}
    if not about["required"] and parameter.default is not None:
        about["default"] = parameter.default
    if typing.get_origin(hint) is typing.Literal:
        choices = list(typing.get_args(hint))
        return {**about, "type": TYPES[type(choices[0])], "enum": choices}
    return {**about, "type": TYPES[hint]} if hint in TYPES else about


def _first_line(function: Callable[..., Any]) -> str | None:
    return (inspect.getdoc(function) or "").partition("\n")[0] or None


def _read_outcome(given: object) -> Result:
    """Make a result of what a handler returned: a sentence, details, both, or nothing."""
    message, details = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if isinstance(message, Mapping):
        message, details = None, message
    said = None if message is None else str(message)
    return {"stage": "succeeded", "message": said, "details": details}


def _raise_refused(error: Exception) -> None:
    """End it where another try brings nothing."""
    if isinstance(error, InvalidStatus) and error.response.status_code in REFUSED_STATUSES:
        raise DeviceError(f"The server answers {error.response.status_code}: is the key good?")
    if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in REFUSED_CODES:
        raise DeviceError(f"The server refuses: {error.rcvd.reason or error.rcvd.code}.")
