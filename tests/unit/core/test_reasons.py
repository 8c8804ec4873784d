"""Reasons: what moved is ranked, what is ordinary is left out, and all is bounded."""

from datetime import UTC, datetime

import numpy as np

from core.reasons import (
    MESSAGES_MAX,
    METRICS_MAX,
    WORDS_MAX,
    Said,
    rank_counts,
    rank_metrics,
    rank_words,
    tell_event,
    tell_transactions,
)

NAN = float("nan")


def names(reasons: list[dict[str, object]]) -> list[object]:
    return [reason["name"] for reason in reasons]


def test_metrics_are_ranked_by_how_far_they_moved_and_still_ones_are_left_out():
    before = [np.array([10.0, 11, 9, 10, 11, 9, 10, 10])] * 3
    during = [np.array([10.5]), np.array([NAN, 40.0]), np.array([2.0])]
    reasons = rank_metrics(["still", "risen", "fallen"], before, during)
    assert names(reasons) == ["risen", "fallen"]
    assert reasons[0]["text"] == "risen rose to 40, usually 10"
    assert reasons[1]["text"] == "fallen fell to 2, usually 10"
    assert reasons[0]["kind"] == "metric"


def test_of_a_metric_without_a_past_or_a_present_nothing_is_said():
    long = np.ones(20)
    assert rank_metrics(["new"], [np.array([1.0, NAN])], [np.array([9.0])]) == []
    assert rank_metrics(["gone"], [long], [np.array([NAN])]) == []
    many = rank_metrics([f"m{n}" for n in range(50)], [long] * 50, [np.array([9.0])] * 50)
    assert len(many) == METRICS_MAX


def test_emotes_that_surge_are_told_and_the_usual_ones_are_not():
    reasons = rank_counts("emote", {"Kappa": 50.0, "LUL": 1.0}, {"Kappa": 60.0, "LUL": 30.0})
    assert names(reasons) == ["LUL"]
    assert reasons[0]["text"] == "LUL 30 a minute, usually 1"
    assert rank_counts("emote", {}, {"rare": 2.0}) == []


def test_words_that_surge_are_told_with_messages_that_say_them_each_by_another_user():
    before = [Said(f"u{n}", "hello there my friends") for n in range(60)]
    during = [Said(f"v{n % 4}", f"dragon fight {n}") for n in range(20)] + before[:10]
    reasons = rank_words(before, during, known=["Kappa"])
    words = [each for each in reasons if each["kind"] == "word"]
    messages = [each for each in reasons if each["kind"] == "message"]
    assert set(names(words)) == {"dragon", "fight"}
    assert len(messages) == MESSAGES_MAX
    assert len(set(names(messages))) == MESSAGES_MAX
    assert all("dragon" in str(each["text"]) for each in messages)


def test_a_word_that_is_told_as_an_emote_and_an_idle_one_are_not_told():
    during = [Said("a", "Kappa the and Kappa") for _ in range(20)]
    assert [each["kind"] for each in rank_words([], during, known=["kappa"])] == ["message"]


def test_without_messages_nothing_is_said_and_with_many_words_it_is_bounded():
    assert rank_words([Said("a", "b c")], [], known=[]) == []
    words = " ".join(f"word{k}" for k in range(100))
    loud = [Said(f"u{n}", f"{n} {words}") for n in range(50)]
    reasons = rank_words([], loud, known=[])
    assert len(reasons) == WORDS_MAX + MESSAGES_MAX
    assert all(len(str(each["text"])) <= 200 for each in reasons)


def test_what_was_given_and_announced_is_said_in_words():
    given = tell_transactions([("bits", "", 3, 300.0), ("donation", "EUR", 9, 45.5)])
    assert [each["text"] for each in given] == ["9 x donation, 45.50 EUR", "3 x bits"]
    at = datetime(2026, 1, 26, 10, 32, 15, tzinfo=UTC)
    raid = tell_event("raid", at, title=None, viewers=900.0)
    assert raid["text"] == "Raid of 900, 10:32:15"
    titled = tell_event("title_change", at, title="Boss run", viewers=None)
    assert titled["text"] == "Title change: Boss run, 10:32:15"
