"""Orders: what one worker runs together, and what stands between what."""

from tests.fixtures.orders import find_unit, spread


def test_the_modules_of_a_folder_with_fixtures_are_one_unit_and_others_stand_alone():
    assert find_unit("tests/browser/demo/test_stream.py::test_a") == "tests/browser/demo"
    assert find_unit("tests/faults/test_storms.py::test_b") == "tests/faults/test_storms.py"


def test_what_starts_the_product_stands_between_what_does_not():
    heavy = [f"tests/faults/test_{name}.py::test_it" for name in "ab"]
    light = [f"tests/unit/test_{name}.py::test_it" for name in "cdefg"]
    places = spread([*heavy, *light])
    order = "".join(unit[-4] for unit in sorted(places, key=lambda unit: places[unit]))
    assert order == "acdbefg"
