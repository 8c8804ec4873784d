"""The bridge to MQTT as a process: ``telemetra device mqtt --help``."""

from core.loading import loading

with loading():
    import asyncio
    import sys
    from argparse import Namespace

    import structlog

    from core.clock import SystemClock
    from core.errors import TelemetraError
    from core.settings import Settings
    from streaming.devices.mqtt.bridges import Bridge
    from streaming.devices.mqtt.descriptions import read_description
    from streaming.devices.mqtt.options import build_link, read_options
    from streaming.devices.sdk import Device, DeviceError, run_until_told
    from streaming.processes import begin

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def main() -> None:
    """Stand between a broker and Telemetra until told to stop."""
    options = read_options(sys.argv[1:])
    try:
        settings = begin("device-mqtt")
        asyncio.run(_run(options, settings))
    except TelemetraError as error:
        sys.exit(f"telemetra device mqtt: {error.detail}")
    except DeviceError as error:
        sys.exit(f"telemetra device mqtt: {error}")


async def _run(options: Namespace, settings: Settings) -> None:
    description = read_description(options.config)
    device = Device(
        description.device,
        url=options.url,
        api_key=options.api_key or settings.api_key,
        title=description.title,
        kind="mqtt",
        memory=options.memory,
    )
    link = build_link(options, description, settings)
    bridge = Bridge(description, device, link, SystemClock())
    log.info("bridge_started", device_id=description.device, host=link.host, port=link.port)
    try:
        await run_until_told(bridge.run())
    finally:
        log.info("bridge_stopped", device_id=description.device)


if __name__ == "__main__":
    main()
