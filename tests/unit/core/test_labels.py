"""Labels: the first that is chosen and there names the stream."""

import pytest

from core.labels import name_stream

CHOSEN = ("stream_id", "instance", "job")


@pytest.mark.parametrize(
    ("labels", "stream"),
    [
        ({"job": "shop", "instance": "a:1", "stream_id": "s"}, ("s", "stream_id")),
        ({"job": "shop", "instance": "a:1", "stream_id": ""}, ("a:1", "instance")),
        ({"job": "a b"}, ("a~20b", "job")),
        ({}, ("other", None)),
    ],
)
def test_the_first_label_that_is_there_names_the_stream(labels, stream):
    assert name_stream(labels, CHOSEN, "other") == stream
