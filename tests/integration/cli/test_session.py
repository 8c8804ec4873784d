"""``telemetra session``: begun, noted, ended and exported from the command line."""

from pathlib import Path

import orjson
import pytest

from tests.integration.cli.conftest import Run


async def test_a_session_goes_from_its_begin_to_a_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = await run("session", "create", "Hot [start]", "--stream", "bench", "--stream", "other")
    session = made.out.strip()
    assert (made.code, session.startswith("sess_")) == (0, True)
    note = await run("session", "note", session, "Valve | open", "--at", "2m", "--tag", "valve")
    assert (note.code, note.out.startswith("note_")) == (0, True)
    (listed,) = orjson.loads((await run("session", "list", "--json")).out)
    assert (listed["name"], listed["note_count"]) == ("Hot [start]", 1)
    assert listed["stream_ids"] == ["bench", "other"]
    assert "Hot [start]" in (await run("session", "list")).out
    ended = await run("session", "end", session)
    assert ended.out.endswith("1 notes, 0 moments, 0 channels\n")
    assert (await run("session", "list", "--status", "active")).out == "No sessions.\n"
    monkeypatch.chdir(tmp_path)
    assert (await run("session", "export", session)).out == f"Written: {session}.md\n"
    assert r"Valve \| open" in (tmp_path / f"{session}.md").read_text(encoding="utf-8")
    whole = await run("session", "export", session, "--format", "json", "--output", "-")
    assert orjson.loads(whole.out)["notes"][0]["tags"] == ["valve"]


async def test_what_cannot_be_is_refused_in_one_line(run: Run, tmp_path: Path):
    made = (await run("session", "create", "x")).out.strip()
    unknown = "sess_0123456789abcdef"
    for words, part in (
        (("end", unknown), "no session"),
        (("end", "sess_x"), "session_id"),
        (("note", made, " "), "content"),
        (("note", made, "x", "--at", "soon"), "neither a span"),
        (("create", ""), "name"),
        (("export", made, "--output", str(tmp_path / "no" / "x.md")), "cannot be written"),
    ):
        done = await run("session", *words)
        assert (done.code, done.out) == (1, ""), words
        assert part in done.err
        assert done.err.count("\n") == 1
