"""How far answers in flight are: renewal theory where requests never end, and less where they were sent at once."""

import pytest

from archsim.model.answers import sent_at_once, steady


@pytest.mark.parametrize(("variation", "share"), [(0, 0.5), (1, 1.0), (2, 2.5)])
def test_long_answers_are_in_flight_for_longer(variation: float, share: float) -> None:
    assert steady(variation) == share


@pytest.mark.parametrize("variation", [0, 0.4, 1])
def test_many_requests_for_each_place_are_a_steady_state(variation: float) -> None:
    assert sent_at_once(4_000, 4, variation) == pytest.approx(steady(variation), rel=0.03)


@pytest.mark.parametrize(("requests", "slots"), [(8, 4), (12, 4), (4, 4), (2, 4)])
def test_equal_answers_are_half_made_on_average(requests: int, slots: int) -> None:
    assert sent_at_once(requests, slots, 0) == pytest.approx(0.5)


def test_exponential_answers_of_one_generation_have_their_closed_form() -> None:
    """Two places, three requests: what is seen ends with the shorter of two answers, half of an average on average.

    Both ages grow alike up to that moment, t: their mean over time is E[t^2 / 2] / E[t] = (1/4) / (1/2).
    """
    assert sent_at_once(3, 2, 1) == pytest.approx(0.5, rel=0.03)


def test_the_fewer_requests_wait_the_shorter_are_those_in_flight() -> None:
    found = [sent_at_once(198, slots, 0.6) for slots in (8, 16, 32, 64, 96, 128)]
    assert found == sorted(found, reverse=True)
