"""MQTT over TLS with a user: only whom they know do connector and broker speak with."""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.fixtures.certificates import CertificateFiles, make_certificates
from tests.fixtures.connector_processes import connecting
from tests.fixtures.mosquittos import Mosquitto
from tests.fixtures.waiting import eventually
from tests.unit.simulator.scripted_apis import ScriptedApi

USER: Final = "plant"
PASSWORD: Final = "not so secret"
ITERATIONS: Final = 101


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return make_certificates(tmp_path)


@pytest.fixture
def closed(mosquitto_program: Path, files: CertificateFiles, tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that speaks TLS, and with one user only."""
    salt = b"123456789012"
    digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, ITERATIONS, 64)
    words = [base64.b64encode(part).decode() for part in (salt, digest)]
    passwords = tmp_path / "passwords"
    passwords.write_text(f"{USER}:$7${ITERATIONS}${words[0]}${words[1]}\n")
    passwords.chmod(0o600)
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Mosquitto(
        mosquitto_program,
        folder,
        f"cafile {files.authority}",
        f"certfile {files.certificate}",
        f"keyfile {files.key}",
        f"password_file {passwords}",
    )
    broker.start()
    yield broker
    broker.stop()


def publish(broker: Mosquitto, files: CertificateFiles) -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(USER, PASSWORD)
    client.tls_set_context(ssl.create_default_context(cafile=files.authority))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish("sensors/press/temp", b"21.5", qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


async def test_a_known_user_is_told_what_comes(
    closed: Mosquitto, files: CertificateFiles, tmp_path: Path
):
    with ScriptedApi() as api:
        arguments = [
            *("--url", api.url, "--broker", f"mqtts://127.0.0.1:{closed.port}"),
            *("--topic", "sensors/{stream}/{channel}", "--ca", str(files.authority)),
            *("--username", USER),
        ]
        secret = {"MQTT_PASSWORD": PASSWORD}
        with connecting("mqtt", *arguments, folder=tmp_path, environment=secret) as connector:
            connector.start()
            await eventually(lambda: "session_begun" in connector.read_log())
            publish(closed, files)
            await eventually(lambda: api.bodies)
            assert connector.stop() == 0
            assert PASSWORD not in connector.read_log()
        assert b'"value":21.5' in api.bodies[0]


@pytest.mark.parametrize(
    ("scheme", "more", "password", "reason"),
    [
        ("mqtts", (), PASSWORD, "CERTIFICATE_VERIFY_FAILED"),
        ("mqtts", ("--ca",), "wrong", "lets nobody in like that"),
        ("mqtt", (), PASSWORD, "hung up"),
    ],
)
async def test_whoever_is_not_let_in_says_why_and_tries_again(
    closed: Mosquitto,
    tmp_path: Path,
    scheme: str,
    more: tuple[str, ...],
    password: str,
    reason: str,
):
    authority = [*more, str(tmp_path / "ca.pem")] if more else []
    arguments = [
        *("--broker", f"{scheme}://127.0.0.1:{closed.port}", "--topic", "{stream}"),
        *("--username", USER, *authority),
    ]
    secret = {"MQTT_PASSWORD": password}
    with connecting("mqtt", *arguments, folder=tmp_path, environment=secret) as connector:
        connector.start()
        await eventually(lambda: connector.read_log().count("source_lost") > 1)
        assert reason in connector.read_log()
        assert connector.stop() == 0
