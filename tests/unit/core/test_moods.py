"""Moods: ours and VADER's judgement of labelled texts, held to each other."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from loadtest.bench.sentiment import Judgement, judge, load_moods, load_vader, measure_accuracy

SENTENCES_DISTANCE = 0.03
"""How much less often than VADER we may be right about plain sentences."""


@cache
def list_judgements() -> tuple[Judgement, ...]:
    return tuple(judge(load_vader()))


def test_about_chat_we_are_right_at_least_as_often_as_vader():
    ours, vader = measure_accuracy(list_judgements(), "chat")
    assert ours >= vader
    assert ours >= 0.9


def test_about_sentences_we_are_right_about_as_often_as_vader():
    ours, vader = measure_accuracy(list_judgements(), "sentences")
    assert ours >= vader - SENTENCES_DISTANCE
    assert ours >= 0.9


@pytest.mark.parametrize(("kind", "least"), [("sentences", 120), ("chat", 60)])
def test_there_are_enough_labelled_texts_of_every_mood(kind: str, least: int):
    moods = load_moods().filter(kind=kind)
    assert len(moods) >= least
    assert moods["text"].is_unique().all()
    counts = dict(moods["mood"].value_counts().iter_rows())
    assert counts.keys() == {"positive", "negative", "neutral"}
    assert min(counts.values()) >= least / 4


def test_without_vader_the_command_says_so(tmp_path: Path):
    (tmp_path / "vaderSentiment.py").write_text("raise ImportError", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "loadtest.bench.sentiment"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": f"{tmp_path}:{REPOSITORY}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "VADER is not installed" in result.stdout
