"""A limit of power has no cliffs: more work takes more time and more joules, wherever the limit begins to act."""

from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.study.running import run


@cache
def taken(tokens: int, settles: int) -> tuple[float, float]:
    """Seconds and joules of a prefill whose kernels take longer with every token, limit or none."""
    sets = (f"workload.prompt_tokens={tokens}", f"hardware.power_cap.settles={settles} ms")
    result = run("llama-3.1-8b-prefill", "mi300x", sets).result
    return result.latency.total_s, result.energy.value


@settings(max_examples=30)
@given(st.integers(64, 4096), st.integers(1, 64), st.integers(1, 40))
@example(tokens=1514, more=2, settles=1)  # a clock in thousandths took a step up in between
def test_a_longer_prompt_takes_more_time_and_more_joules(tokens: int, more: int, settles: int) -> None:
    shorter, longer = taken(tokens, settles), taken(tokens + more, settles)
    assert longer[0] > shorter[0]
    assert longer[1] > shorter[1]


@settings(max_examples=30)
@given(st.integers(512, 4096), st.integers(1, 40))
def test_a_limit_that_acts_later_takes_less_time_and_leaves_more_joules(tokens: int, settles: int) -> None:
    sooner, later = taken(tokens, settles), taken(tokens, settles + 1)
    assert later[0] <= sooner[0]
    assert later[1] >= sooner[1]
