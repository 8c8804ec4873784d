"""Speech on the page: said into a microphone, cut at its pauses, and read as notes."""

import wave
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.fixtures.browsers import open_page
from tests.fixtures.products import Product
from tests.fixtures.session_pages import SESSIONS, ask, list_notes, make_session, open_session
from tests.fixtures.voices import require_voice
from tests.fixtures.waiting import eventually

SENTENCES = ("open the left valve now", "stop the main heater")
HEARD_S_MAX = 180
"""Two sentences through a transcriber on a machine that does three things at once."""


def write_speech(folder: Path) -> Path:
    """Return a file in which two sentences are said, with two seconds of silence around them."""
    file = folder / "microphone.wav"
    voice = require_voice()
    parts = [voice.speak(said, folder / f"{k}.wav") for k, said in enumerate(SENTENCES)]
    with wave.open(str(file), "wb") as out:
        for part in parts:
            with wave.open(str(part)) as spoken:
                silence = b"\0\0" * (2 * spoken.getframerate())
                if part == parts[0]:
                    out.setparams(spoken.getparams())
                    out.writeframes(silence)
                out.writeframes(spoken.readframes(spoken.getnframes()) + silence)
    return file


async def test_what_is_said_becomes_notes_piece_by_piece(product: Product, tmp_path: Path) -> None:
    switches = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={write_speech(tmp_path)}%noloop",
    )
    async with ask(product) as client, open_page(*switches) as page:
        session_id = await make_session(client, "Spoken")
        await open_session(page, client, session_id)
        await page.get_by_label("Speaker", exact=True).fill("ada")
        await page.get_by_test_id("record").click()
        await expect(page.get_by_test_id("recorder")).to_have_attribute("data-recording", "true")

        async def list_tasks() -> list[dict[str, Any]]:
            answer = await client.get(f"{SESSIONS}/{session_id}/stt/tasks")
            tasks: list[dict[str, Any]] = answer.json()["data"]
            return tasks

        tasks = await eventually(
            list_tasks, holds=lambda found: len(found) == len(SENTENCES), within_s=HEARD_S_MAX
        )
        assert all(0.8 < task["duration_seconds"] < 6 for task in tasks), tasks
        assert {task["speaker"] for task in tasks} == {"ada"}
        await page.get_by_test_id("record").click()
        done = page.locator("[data-testid=speech-piece][data-state=done]")
        await expect(done).to_have_count(len(SENTENCES), timeout=HEARD_S_MAX * 1000)
        notes = await list_notes(client, session_id)
        assert len(notes) == len(SENTENCES)
        assert notes[0]["timestamp"] < notes[1]["timestamp"]
        assert {note["speaker"] for note in notes} == {"ada"}
        await expect(page.get_by_test_id("note")).to_have_count(len(SENTENCES))


async def test_a_denied_microphone_is_said_plainly(product: Product) -> None:
    async with ask(product) as client, open_page("--deny-permission-prompts") as page:
        session_id = await make_session(client, "Silent")
        await open_session(page, client, session_id)
        await page.get_by_test_id("record").click()
        fault = page.get_by_test_id("record-fault")
        await expect(fault).to_contain_text("microphone")
        await expect(page.get_by_test_id("recorder")).to_have_attribute("data-recording", "false")
