"""Answers: the tag names the content, and a client that has it gets 304."""

import pytest
from starlette.requests import Request

from api.answers import send_answer, send_json
from api.cache.base import Answer

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


def test_what_is_not_to_be_kept_says_so():
    response = send_json(b"{}")
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
