"""Examples of moments: what the pages of the API show is what it takes."""

import pytest

from api.moments.examples import WISHES
from api.moments.schemas import MomentIn


@pytest.mark.parametrize("name", WISHES)
def test_every_wish_that_is_shown_can_be_sent(name: str):
    assert MomentIn.model_validate(WISHES[name]["value"]).to_wish().name
