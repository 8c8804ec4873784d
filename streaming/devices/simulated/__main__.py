"""The simulated device as a process: ``telemetra device simulate --help``."""

from core.loading import loading

with loading():
    import sys
    from argparse import Namespace

    import structlog

    from core.clock import SystemClock
    from core.errors import InvalidError, TelemetraError
    from core.settings import Settings
    from streaming.devices.sdk import Device, DeviceError
    from streaming.devices.simulated.climates import Climate
    from streaming.devices.simulated.devices import SimulatedDevice
    from streaming.devices.simulated.faults import plan_often, plan_wishes
    from streaming.devices.simulated.labels import LabelFile
    from streaming.devices.simulated.options import read_options
    from streaming.processes import begin

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def main() -> None:
    """Be a device until told to stop."""
    options = read_options(sys.argv[1:])
    try:
        settings = begin("device")
        _simulate(options, settings)
    except TelemetraError as error:
        sys.exit(f"telemetra device simulate: {error.detail}")
    except DeviceError as error:
        sys.exit(f"telemetra device simulate: {error}")


def _simulate(options: Namespace, settings: Settings) -> None:
    clock = SystemClock()
    device = Device(
        options.device_id,
        url=options.url,
        api_key=options.api_key or settings.api_key,
        title=options.title or "Climate chamber",
        kind="simulated",
    )
    seed, now_ms = options.seed, clock.now_ms()
    climate = Climate(seed, now_ms, plan_wishes(seed, options.faults, now_ms))
    if options.fault_every is not None:
        climate.often = plan_often(seed, options.fault_every, now_ms)
    labels = _open_labels(options, settings)
    simulated = SimulatedDevice(device, climate, clock, labels)
    log.info("device_started", device_id=options.device_id, url=options.url, seed=seed)
    try:
        device.run(simulated.measure)
    finally:
        if labels:
            labels.close()
        log.info("device_stopped", device_id=options.device_id)


def _open_labels(options: Namespace, settings: Settings) -> LabelFile | None:
    """Open the file of labels; without one that was asked for the device goes on."""
    seed, device_id = options.seed, options.device_id
    if options.labels:
        return LabelFile(options.labels, device_id, seed)
    # An id may have signs that no name of a file has.
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in device_id)
    name = f"device-{safe}-seed-{seed}.labels.ndjson"
    try:
        return LabelFile(settings.data_dir / "labels" / name, device_id, seed)
    except InvalidError as error:
        log.warning("labels_not_written", reason=error.detail)
        return None


if __name__ == "__main__":
    main()
