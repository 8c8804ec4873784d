"""Fan-out as most would write it: a subscription of Redis for each socket, and JSON for each send.

python -m loadtest.peers.fan_out --port 8001 --redis-url redis://…
"""

import argparse
import asyncio
import json
from typing import Final

import redis.asyncio
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

CONNECTIONS_MAX: Final = 9_000
"""The library allows a hundred unless told; Redis itself ten thousand."""


def build_peer(redis_url: str) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    client = redis.asyncio.from_url(redis_url, max_connections=CONNECTIONS_MAX)

    @app.websocket("/ws/live/{stream_id}")
    async def follow(socket: WebSocket, stream_id: str) -> None:
        await socket.accept()
        async with client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(f"plain:{stream_id}")
            await socket.send_json({"type": "connected"})
            gone = asyncio.create_task(_wait_until_gone(socket))
            try:
                while not gone.done():
                    message = await channel.get_message(timeout=1)
                    if message is not None:
                        await socket.send_text(
                            json.dumps(json.loads(message["data"]), separators=(",", ":"))
                        )
            except WebSocketDisconnect:
                return
            finally:
                gone.cancel()

    return app


async def _wait_until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.peers.fan_out")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--redis-url", required=True)
    options = parser.parse_args()
    uvicorn.run(build_peer(options.redis_url), port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
