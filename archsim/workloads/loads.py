"""Rows of experts in a benchmark of their kernel: dealt out in turn, or drawn.

`power_law_loads` is what the collector of ai-dynamo/aiconfigurator does (collector/helper.py, 2026; five draws):
the load of each expert is drawn from a density x^-exponent on [1, 0.8 rows], or on [0.01, 2] where there are no more
rows than experts, scaled to all rows and rounded. No expert gets a row twice; what is missing goes to those with
fewest rows, one by one, so that more experts have some than were drawn, and what is too much comes off the fullest.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from random import Random
from typing import Literal

from archsim.workloads.routing import draw

Distribution = Literal["balanced", "uniform", "power_law_loads"]


def loads(
    distribution: Distribution, exponent: float, experts: int, top_k: int, rows: int, seed: str
) -> tuple[int, ...]:
    """Rows of each expert; they add up to rows x top_k, and none has more than `rows`."""
    if distribution == "balanced":
        return _balanced(experts, top_k, rows)
    if distribution == "uniform":
        return draw((1,) * experts, top_k, rows, Random(seed))
    return _power_law(exponent, experts, top_k, rows, Random(seed))


def _balanced(experts: int, top_k: int, rows: int) -> tuple[int, ...]:
    """The choices of a row lie evenly over the experts, and rows begin one after the other."""
    stride = -(-experts // top_k)
    found = [0] * experts
    for row in range(rows):
        first = row if rows >= stride else row * stride // rows
        taken: set[int] = set()
        for choice in range(top_k):
            expert = (first + choice * stride) % experts
            while expert in taken:
                expert = (expert + 1) % experts
            taken.add(expert)
            found[expert] += 1
    return tuple(found)


def _power_law(exponent: float, experts: int, top_k: int, rows: int, source: Random) -> tuple[int, ...]:
    wanted = rows * top_k
    low, high = (1.0, 0.8 * rows) if wanted > experts else (0.01, 2.0)
    drawn = [_sample(source.random(), exponent, low, max(low, high)) for _ in range(experts)]
    found = [min(rows, round(size / sum(drawn) * wanted)) for size in drawn]
    missing = wanted - sum(found)
    return tuple(_filled(found, missing, rows) if missing > 0 else _thinned(found, -missing))


def _filled(found: list[int], missing: int, rows: int) -> list[int]:
    """One row after the other for the expert that has fewest, up to `rows` each."""
    least = [(load, expert) for expert, load in enumerate(found) if load < rows]
    heapify(least)
    for _ in range(missing):
        load, expert = heappop(least)
        found[expert] = load + 1
        if load + 1 < rows:
            heappush(least, (load + 1, expert))
    return found


def _thinned(found: list[int], surplus: int) -> list[int]:
    """One row after the other less for the expert that has most."""
    most = [(-load, expert) for expert, load in enumerate(found)]
    heapify(most)
    for _ in range(surplus):
        load, expert = most[0]
        found[expert] = -load - 1
        heapreplace(most, (load + 1, expert))
    return found


def _sample(chance: float, exponent: float, low: float, high: float) -> float:
    """The value below which that share of the density lies."""
    if exponent == 1:
        return float(low * (high / low) ** chance)
    power = 1 - exponent
    return float(((high**power - low**power) * chance + low**power) ** (1 / power))
