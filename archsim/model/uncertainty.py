"""How sure an energy is: each price lies anywhere in its range, and prices that stand on one figure move together.

Joules are linear in prices, so a finished run needs no new simulation. Decision 080 says why the distribution is a
triangle, and what makes two prices one figure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, isclose, prod, sqrt
from typing import TYPE_CHECKING, NamedTuple

from archsim.model.price import Price
from archsim.model.pricing import Priced, joules_of

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

DRAWS = 10_000
TAILS = (5.0, 95.0)
"""Percentiles of a band."""

_ROUNDED = 1e-9
"""A share of a sum below which a difference may come from the order of its parts."""

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
            return _variance(self.stakes[0])
        found = [self.at((step + 0.5) / _STEPS) for step in range(_STEPS)]
        mean = fsum(found) / _STEPS
        return fsum((item - mean) ** 2 for item in found) / _STEPS


@dataclass(frozen=True, slots=True)
class Step:
    """By how much more is drawn outside of a boundary than inside, `told` in words; `name` is what lies between."""

    value: float
    low: float
    high: float
    told: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Constants:
    """All that the joules of a result stand on: figures at the machine's own boundary, times the steps around it."""

    figures: tuple[Constant, ...]
    around: tuple[Step, ...] = ()

    @property
    def outside(self) -> float:
        """Joules outside for each inside."""
        return prod(step.value for step in self.around)


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


def constants(entries: Iterable[Priced], tokens: int, around: tuple[Step, ...] = ()) -> Constants:
    """What a priced ledger stands on, per output token, in its order; its prices hold the steps around the machine."""
    inside = [1 / prod(getattr(step, end) for step in around) for end in ("value", "low", "high")]
    stakes: dict[str, dict[tuple[str, str], Stake]] = {}
    sources: dict[tuple[str, str], str] = {}
    for entry in entries:
        row, price = entry.row, entry.price
        ends = _ends(price, inside)
        mine = stakes.setdefault(_figure(entry, ends), {})
        key = (row.component, row.action)
        sources[key] = price.source
        before = mine.get(key, Stake(0.0, 0.0, 0.0))
        per_token = row.count / tokens
        mine[key] = Stake(*(sum_ + joules_of(per_token, end) for sum_, end in zip(before, ends, strict=True)))
    return Constants(tuple(_constant(figure, mine, sources) for figure, mine in stakes.items()), around)


def _ends(price: Price, inside: Sequence[float]) -> tuple[float, float, float]:
    """Value, low and high of a price at the machine's own boundary; one number where it has no range there."""
    value, low, high = (end * part for end, part in zip((price.value, price.low, price.high), inside, strict=True))
    return (value, value, value) if isclose(low, high, rel_tol=1e-9) else (value, low, high)


def _constant(figure: str, stakes: dict[tuple[str, str], Stake], sources: dict[tuple[str, str], str]) -> Constant:
    widest = max(stakes, key=lambda key: stakes[key].high - stakes[key].low)
    return Constant(figure, *widest, sources[widest], tuple(stakes.values()))


def _figure(entry: Priced, ends: Sequence[float]) -> str:
    """What a price stands on: its library entry, or else its own numbers; nothing where they are exact."""
    if ends[1] == ends[2]:
        return ""
    return entry.price.entry or _named(ends, entry.row.unit)


def _named(ends: Iterable[float], unit: str) -> str:
    """A figure by its numbers: the same at any boundary."""
    return " ".join((*(f"{end:.9g}" for end in ends), unit))


def dominant(found: Constants, most: int = 3) -> tuple[Dominant, ...]:
    """What the joules are least sure for, by its share of the variance: of a product, to first order."""
    inside = fsum(item.value for item in found.figures)
    spread = [(item.variance, item.component, item.action, item.source) for item in found.figures if item.figure]
    for step in found.around:
        share = inside**2 * _variance(step) / step.value**2
        spread.append((share, "site", step.name, f"{step.value:g} ({step.low:g} to {step.high:g})"))
    total = fsum(variance for variance, *_ in spread)
    ranked = sorted(spread, key=lambda item: -item[0])[:most]
    return tuple(Dominant(name, action, source, share / total) for share, name, action, source in ranked if share)


def _variance(of: Stake | Step) -> float:
    """Of a triangle."""
    return ((of.high - of.low) ** 2 - (of.high - of.value) * (of.value - of.low)) / 18


def band(found: Constants) -> Band:
    """Of joules per output token."""
    return _tails(draws(found))


def ratio_band(of: Constants, to: Constants) -> Band:
    """Of the ratio of two energies: a figure that both stand on has the same draw in both."""
    return _tails(draws(of) / draws(to))


def odds(one: Constants, other: Constants) -> float:
    """The share of draws in which the first needs less energy than the second, by more than sums are rounded."""
    return float((draws(one) < draws(other) * (1 - _ROUNDED)).mean())


def _tails(drawn: NDArray[float64]) -> Band:
    import numpy as np  # a tenth of a second, and a table on a terminal needs none of it

    return Band(*(float(edge) for edge in np.percentile(drawn, TAILS)))


@lru_cache(maxsize=64)
def draws(found: Constants) -> NDArray[float64]:
    """Joules per output token in every draw; a comparison asks for those of a cell again and again."""
    import numpy as np  # as above

    total = np.zeros(DRAWS)
    for item in found.figures:
        for value, low, high in item.stakes:
            total += _drawn(item.figure, value, low, high)
    for step in found.around:
        total *= _drawn(_named((step.value, step.low, step.high), step.name), step.value, step.low, step.high)
    return total


def _drawn(figure: str, value: float, low: float, high: float) -> NDArray[float64] | float:
    """Quantiles of a triangle, where its figure stands in each draw."""
    import numpy as np  # as above

    if high == low or not figure:
        return value
    share, width = shares_of(figure), high - low
    below = low + np.sqrt(share * width * (value - low))
    above = high - np.sqrt((1 - share) * width * (high - value))
    return np.where(share * width < value - low, below, above)


@lru_cache(maxsize=256)
def shares_of(figure: str) -> NDArray[float64]:
    """Where a figure stands in each draw: every step of its range once, in an order of its own (Latin hypercube).

    The order follows from the figure alone, so it is the same in every run, comparison and process.
    """
    import numpy as np  # as above

    seed = int.from_bytes(hashlib.sha256(figure.encode()).digest()[:8], "big")
    return (np.random.default_rng(seed).permutation(DRAWS) + 0.5) / DRAWS
