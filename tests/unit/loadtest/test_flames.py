"""The picture of where time goes: drawn from stacks, idle ones left out."""

from loadtest.bench.flames import draw_flames, gather_stacks

WORK = "main (x.py:1);ShardLogic.on_batch (streaming/flow/steps.py:3);reduce (core/a.py:9)"
STACKS = [
    f"{WORK};f (polars/b.py:1);g (polars/b.py:2);h (polars/b.py:3);i (polars/b.py:4) 30",
    f"{WORK.replace(':9)', ':10)')} 9",
    "main (x.py:1);Committer._commit (streaming/flow/c.py:2);Condition.wait (threading.py:1) 500",
    "main (x.py:1);idle (x.py:2) 70",
]


def test_looks_are_added_up_by_function_from_our_first_one_on():
    root = gather_stacks(STACKS)
    (step,) = root.calls.values()
    assert (root.looks, step.name, step.looks) == (
        39,
        "ShardLogic.on_batch (streaming/flow/steps.py)",
        39,
    )
    (reduce,) = step.calls.values()
    assert (reduce.name, reduce.looks) == ("reduce (core/a.py)", 39)


def test_libraries_are_followed_three_calls_deep():
    picture = draw_flames(gather_stacks(STACKS), "a & b")
    assert "h (polars/b.py): 76.9 %" in picture
    assert "i (polars/b.py)" not in picture
    assert "a &amp; b" in picture
