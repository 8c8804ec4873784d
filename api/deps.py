"""Dependencies: what the application was built with, handed to endpoints.

All are coroutines: FastAPI would send a plain function to a thread and back with each request.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import redis.asyncio
from fastapi import Depends, Request, WebSocket
from starlette.requests import HTTPConnection

from api.cache.base import Cache
from api.cache.listeners import TouchListener
from api.cache.lookups import Lookups
from api.devices.parts import Devices
from api.ingest.rooms import Room
from api.ingest.small_bodies import SmallBodies
from api.keys.identities import Identities
from api.keys.rings import KeyRing
from api.live.hub import Hub
from api.news import News
from api.scripts.service import Scripts
from api.session_live.hub import SessionHub
from api.session_telemetry.written import Written
from api.shortcuts import Shortcuts
from api.stt_tasks.uploads import Uploads
from core import keys
from core.clock import Clock
from core.settings import Settings
from core.traces import Tracer
from db.pool import Pool
from streaming.bus.base import BusWriter
from streaming.bus.session_news import SessionNews


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything that ``api.app`` builds once."""

    settings: Settings
    clock: Clock
    pool: Pool
    redis: redis.asyncio.Redis
    cache: Cache
    lookups: Lookups
    shortcuts: Shortcuts
    listener: TouchListener
    bus: BusWriter
    room: Room
    small_bodies: SmallBodies
    hub: Hub
    news: News
    devices: Devices
    scripts: Scripts
    ring: KeyRing
    identities: Identities
    written: Written
    session_news: SessionNews
    session_hub: SessionHub
    uploads: Uploads
    tracer: Tracer | None


async def get_resources(request: Request) -> Resources:
    """Return the resources of the application."""
    resources: Resources = request.app.state.resources
    return resources


async def get_socket_resources(socket: WebSocket) -> Resources:
    """Return the resources of the application, for a socket."""
    resources: Resources = socket.app.state.resources
    return resources


async def get_caller(connection: HTTPConnection) -> keys.Caller:
    """Return who asks, as the door found out."""
    caller: keys.Caller = connection.scope["caller"]
    return caller


Uses: TypeAlias = Annotated[Resources, Depends(get_resources)]
SocketUses: TypeAlias = Annotated[Resources, Depends(get_socket_resources)]
Caller: TypeAlias = Annotated[keys.Caller, Depends(get_caller)]
