"""The MQTT connector as a process: ``telemetra connect mqtt --help``."""

from core.loading import loading

with loading():
    from argparse import Namespace
    from collections.abc import Iterator
    from contextlib import contextmanager
    from hashlib import blake2b

    from core.clock import Clock
    from core.settings import Settings
    from streaming.connectors.mqtt.ledgers import Ledger
    from streaming.connectors.mqtt.options import build_options, build_parser
    from streaming.connectors.mqtt.sources import MqttOptions, MqttSource
    from streaming.connectors.offsets import open_offsets
    from streaming.connectors.processes import run_process
    from streaming.connectors.rows import build_time_policy


@contextmanager
def build(options: Namespace, settings: Settings, clock: Clock) -> Iterator[MqttSource]:
    """Lend the source that the options name."""
    wanted = build_options(options, settings)
    with open_offsets(settings.data_dir, _name_session(wanted)) as offsets:
        ledger = Ledger(offsets.path.with_suffix(".deliveries"))
        source = MqttSource(wanted, ledger, clock, build_time_policy(settings))
        try:
            yield source
        finally:
            source.close()


def _name_session(options: MqttOptions) -> str:
    """Return what tells a session at a broker from all others, fit for the name of a file."""
    session = options.session
    place = f"{session.host}:{session.port}/{session.client_id}"
    return f"mqtt-{blake2b(place.encode(), digest_size=8).hexdigest()}"


if __name__ == "__main__":
    run_process("mqtt", build_parser().parse_args(), build)
