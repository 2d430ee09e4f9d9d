"""How far answers in flight are, seen at any moment: those of requests without end, or of a batch sent at once.

Lengths are drawn from a Weibull distribution, which is exponential where they vary by 1, and has a closed inverse.
"""

from __future__ import annotations

from functools import lru_cache
from heapq import heapify, heapreplace
from math import fsum, gamma, log
from random import Random

_DRAWN = 16_000
"""Answers that a mean is taken of: it is then right to 1 or 2 %."""

_STEEPEST, _FLATTEST = 60.0, 0.3
_HALVINGS = 50


def steady(variation: float) -> float:
    """What an answer in flight has of an average one, by renewal theory: long answers are in flight for longer."""
    return (1 + variation**2) / 2


@lru_cache(maxsize=256)
def sent_at_once(requests: int, slots: int, variation: float) -> float:
    """The same over the time in which all slots are taken, where `requests` were sent at once.

    All begin together, and the time ends with the last answer that another request waits for (with the first one, if
    none waits); every answer grows by one token in a step.
    """
    runs = [_run(requests, slots, variation, Random(seed)) for seed in range(-(-_DRAWN // requests))]
    return fsum(grown for grown, _ in runs) / fsum(spent for _, spent in runs)


def _run(requests: int, slots: int, variation: float, source: Random) -> tuple[float, float]:
    """Tokens of answers in flight, summed over time, and the time that answers were in flight; of an average length."""
    drawn = lengths(requests, variation, source)
    flying = [(length, 0.0) for length in drawn[:slots]]
    heapify(flying)
    grown = spent = 0.0
    for length in drawn[slots:]:
        end, start = heapreplace(flying, (flying[0][0] + length, flying[0][0]))
        grown, spent = grown + (end - start) ** 2 / 2, spent + end - start
    last = flying[0][0] if slots >= requests else max(start for _, start in flying)
    ages = [last - start for _, start in flying]
    return grown + fsum(age**2 / 2 for age in ages), spent + fsum(ages)


def lengths(count: int, variation: float, source: Random) -> list[float]:
    """Lengths of answers that vary so much, with a mean of 1 over all that might be drawn."""
    if not variation:
        return [1.0] * count
    inverse = 1 / _shape(variation)
    scale = 1 / gamma(1 + inverse)
    return [float(scale * (-log(1 - source.random())) ** inverse) for _ in range(count)]


@lru_cache(maxsize=64)
def _shape(variation: float) -> float:
    """The shape whose standard deviation over mean is that."""
    low, high = _FLATTEST, _STEEPEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        spread = gamma(1 + 2 / middle) / gamma(1 + 1 / middle) ** 2 - 1
        low, high = (middle, high) if spread > variation**2 else (low, middle)
    return high
