"""How sure an energy is: each price lies anywhere in its range, and prices that stand on one figure move together.

Joules are linear in prices, so a finished run needs no new simulation. Decision 080 says why the distribution is a
triangle, and what makes two prices one figure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, sqrt
from typing import TYPE_CHECKING, NamedTuple

from archsim.model.machine import Machine
from archsim.model.pricing import PJ_PER_JOULE, Priced

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

DRAWS = 10_000
TAILS = (5.0, 95.0)
"""Percentiles of a band."""

_STEPS = 200
"""Of a quadrature over a triangle: its variance is then right to three digits."""


class Stake(NamedTuple):
    """Joules per output token that one price pays for: at its value, its low and its high."""

    value: float
    low: float
    high: float

    def at(self, share: float) -> float:
        """The quantile of a triangle through low, value and high: joules that a `share` (0 to 1) of draws is below."""
        low, high = self.low, self.high
        if high == low:
            return self.value
        if share * (high - low) < self.value - low:
            return low + sqrt(share * (high - low) * (self.value - low))
        return high - sqrt((1 - share) * (high - low) * (high - self.value))


@dataclass(frozen=True, slots=True)
class Constant:
    """One figure, the joules per output token that stand on it, and the price that spends most of them.

    `figure` is the same wherever the figure is used, on this machine or another; empty where nothing is uncertain.
    """

    figure: str
    component: str
    action: str
    source: str
    stakes: tuple[Stake, ...]

    @property
    def value(self) -> float:
        """Joules per output token at the stated prices."""
        return fsum(stake.value for stake in self.stakes)

    def at(self, share: float) -> float:
        """Joules per output token where the figure stands at a quantile of its range."""
        return fsum(stake.at(share) for stake in self.stakes)

    @property
    def variance(self) -> float:
        """Square joules per output token, by the midpoints of equal steps."""
        if len(self.stakes) == 1:
            value, low, high = self.stakes[0]
            return ((high - low) ** 2 - (high - value) * (value - low)) / 18
        found = [self.at((step + 0.5) / _STEPS) for step in range(_STEPS)]
        mean = fsum(found) / _STEPS
        return fsum((item - mean) ** 2 for item in found) / _STEPS


class Dominant(NamedTuple):
    """A constant, by the price that spends most on it, with its share of the variance of the joules."""

    component: str
    action: str
    source: str
    share: float


class Band(NamedTuple):
    """The 5th and the 95th percentile."""

    p05: float
    p95: float


def constants(entries: Iterable[Priced], machine: Machine, tokens: int) -> tuple[Constant, ...]:
    """The figures that a priced ledger stands on, per output token, in the order of the ledger."""
    stakes: dict[str, dict[tuple[str, str], Stake]] = {}
    sources: dict[tuple[str, str], str] = {}
    for entry in entries:
        row, price = entry.row, entry.price
        per_token = row.count / tokens / PJ_PER_JOULE
        mine = stakes.setdefault(_figure(entry, machine), {})
        key = (row.component, row.action)
        sources[key] = price.source
        before = mine.get(key, Stake(0.0, 0.0, 0.0))
        ends = (price.value, price.low, price.high)
        mine[key] = Stake(*(sum_ + per_token * end for sum_, end in zip(before, ends, strict=True)))
    return tuple(_constant(figure, mine, sources) for figure, mine in stakes.items())


def _constant(figure: str, stakes: dict[tuple[str, str], Stake], sources: dict[tuple[str, str], str]) -> Constant:
    widest = max(stakes, key=lambda key: stakes[key].high - stakes[key].low)
    return Constant(figure, *widest, sources[widest], tuple(stakes.values()))


def _figure(entry: Priced, machine: Machine) -> str:
    """What a price stands on: its library entry, or else its own numbers; nothing where they are exact."""
    row, price = entry.row, entry.price
    if price.low == price.high:
        return ""
    library = machine.components[row.component].library
    if library is not None and row.unit != "ps":
        return library
    return f"{price.value!r} {price.low!r} {price.high!r} {row.unit}"


def dominant(found: Sequence[Constant], most: int = 3) -> tuple[Dominant, ...]:
    """The constants that the joules are least sure for, by their share of the variance."""
    spread = [(item.variance, item) for item in found if item.figure]
    total = fsum(variance for variance, _ in spread)
    ranked = sorted(spread, key=lambda pair: -pair[0])[:most]
    return tuple(
        Dominant(item.component, item.action, item.source, variance / total) for variance, item in ranked if variance
    )


def band(found: Iterable[Constant]) -> Band:
    """Of joules per output token."""
    return _tails(_draws(tuple(found)))


def ratio_band(of: Iterable[Constant], to: Iterable[Constant]) -> Band:
    """Of the ratio of two energies: a figure that both stand on has the same draw in both."""
    return _tails(_draws(tuple(of)) / _draws(tuple(to)))


def odds(one: Iterable[Constant], other: Iterable[Constant]) -> float:
    """The share of draws in which the first needs less energy than the second."""
    return float((_draws(tuple(one)) < _draws(tuple(other))).mean())


def _tails(drawn: NDArray[float64]) -> Band:
    import numpy as np  # a tenth of a second, and a table on a terminal needs none of it

    return Band(*(float(edge) for edge in np.percentile(drawn, TAILS)))


@lru_cache(maxsize=64)
def _draws(found: tuple[Constant, ...]) -> NDArray[float64]:
    """Joules per output token in every draw; a comparison asks for those of a cell again and again."""
    import numpy as np  # as above

    total = np.zeros(DRAWS)
    for item in found:
        for value, low, high in item.stakes:
            if high == low:
                total += value
                continue
            share, width = shares_of(item.figure), high - low
            below = low + np.sqrt(share * width * (value - low))
            above = high - np.sqrt((1 - share) * width * (high - value))
            total += np.where(share * width < value - low, below, above)
    return total


@lru_cache(maxsize=256)
def shares_of(figure: str) -> NDArray[float64]:
    """Where a figure stands in each draw: every step of its range once, in an order of its own (Latin hypercube).

    The order follows from the figure alone, so it is the same in every run, comparison and process.
    """
    import numpy as np  # as above

    seed = int.from_bytes(hashlib.sha256(figure.encode()).digest()[:8], "big")
    return (np.random.default_rng(seed).permutation(DRAWS) + 0.5) / DRAWS
