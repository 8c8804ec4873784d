"""Answers: the tag names the content, and a client that has it gets 304."""

from dataclasses import replace

import pytest
from starlette.requests import Request

from api.answers import send_answer, send_json
from api.cache.base import Answer
from api.replies import STALE

ANSWER = Answer.of(b'{"data":[]}')


def ask(if_none_match: str | None = None) -> Request:
    headers = [] if if_none_match is None else [(b"if-none-match", if_none_match.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def test_the_same_body_has_the_same_tag_and_another_has_not():
    assert Answer.of(b'{"data":[]}') == ANSWER
    assert Answer.of(b'{"data":[1]}').etag != ANSWER.etag
    assert ANSWER.etag.startswith('"')
    assert ANSWER.etag.endswith('"')


@pytest.mark.parametrize("known", [ANSWER.etag, f"W/{ANSWER.etag}", f'"other", {ANSWER.etag}', "*"])
def test_a_client_that_has_the_answer_gets_304_and_no_body(known: str):
    response = send_answer(ask(known), ANSWER)
    assert (response.status_code, response.body) == (304, b"")
    assert response.headers["ETag"] == ANSWER.etag


@pytest.mark.parametrize("known", [None, "", '"other"', ANSWER.etag.strip('"')])
def test_a_client_that_has_another_answer_gets_the_body(known: str | None):
    response = send_answer(ask(known), ANSWER)
    assert (response.status_code, response.body) == (200, ANSWER.body)
    assert response.headers["ETag"] == ANSWER.etag
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("known", [None, ANSWER.etag])
def test_an_old_answer_says_how_old_it_is_and_a_good_one_nothing(known: str | None):
    response = send_answer(ask(known), replace(ANSWER, stale_s=42))
    assert (response.headers[STALE], response.headers["Age"]) == ("42", "42")
    good = send_answer(ask(known), ANSWER)
    assert [name in good.headers for name in (STALE, "Age")] == [False, False]
    assert good.status_code == response.status_code


def test_what_is_not_to_be_kept_says_so():
    response = send_json(b"{}")
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
