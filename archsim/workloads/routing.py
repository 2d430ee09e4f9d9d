"""Which experts the tokens go to: drawn for each step and layer from a seed, never averaged.

Experts have a popularity: equal, by a power law, or by a trace of loads. Each token takes `top_k` different ones, one
after the other, each with a chance in proportion to its popularity among those left. Draws use whole numbers and
`random()` alone, whose sequence Python guarantees, so they are the same everywhere.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat, NonNegativeInt

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError

MOST_POPULAR = 2**32
"""Popularity of the first expert of a power law; one that is rarer by more is taken as 1."""


class UniformRouting(Checked):
    """Every expert is as likely as any other."""

    kind: Literal["uniform"]


class PowerLawRouting(Checked):
    """The expert of rank r has popularity r^-exponent; ranks are dealt out anew in each layer."""

    kind: Literal["power_law"]
    exponent: Annotated[NonNegativeFloat, Field(le=8)] = 1.0


class ExpertLoad(Checked):
    """Rows that a layer sent to an expert; both are numbered from 0, dense layers included."""

    layer: NonNegativeInt
    expert: NonNegativeInt
    load: NonNegativeInt


def _same(rows: Any) -> Any:
    return rows


Loads = Annotated[tuple[ExpertLoad, ...], BeforeValidator(_same, json_schema_input_type=str | tuple[ExpertLoad, ...])]


class TracedRouting(Checked):
    """Loads as they were measured, a popularity to draw by; those of as many rows as a pass routes are replayed."""

    kind: Literal["trace"]
    file: Loads = Field(description="a row for each layer and expert, or the path of a CSV: layer, expert, load")


Routing = Annotated[UniformRouting | PowerLawRouting | TracedRouting, Field(discriminator="kind")]


def check(routing: Routing, layers: Sequence[int], experts: int, top_k: int) -> None:
    """Raise UnplacedError where a trace has not one row for each expert of each of the `layers`."""
    if not isinstance(routing, TracedRouting):
        return
    known, seen, used = {*layers}, set[tuple[int, int]](), dict.fromkeys(layers, 0)
    for index, row in enumerate(routing.file):
        place, wrong = (row.layer, row.expert), ""
        if row.layer not in known:
            wrong = f"layer {row.layer} has no experts; layers that have: {_ranges(layers)}"
        elif row.expert >= experts:
            wrong = f"there is no expert {row.expert}: layers have experts 0 to {experts - 1}"
        elif place in seen:
            wrong = f"expert {row.expert} of layer {row.layer} has two rows"
        if wrong:
            raise UnplacedError(f"row {index + 1} of the routing trace: {wrong}", at=("routing", "file", index))
        seen.add(place)
        used[row.layer] += row.load > 0
    for layer in layers:
        if missing := [expert for expert in range(experts) if (layer, expert) not in seen]:
            message = f"the routing trace has no row for layer {layer}, expert {missing[0]}"
            raise UnplacedError(message, f"it takes {len(layers)} x {experts} rows", ("routing", "file"))
        if used[layer] < top_k:
            message = f"the routing trace loads {used[layer]} experts of layer {layer}, and each token takes {top_k}"
            raise UnplacedError(message, at=("routing", "file"))


@dataclass(frozen=True)
class Router:
    """Draws the loads of the experts of a model."""

    routing: Routing
    experts: int
    top_k: int
    seed: int

    def loads(self, step: int, layer: int, tokens: int) -> tuple[int, ...]:
        """Rows that each expert gets from so many tokens; they add up to tokens x top_k."""
        popularity = self._popularity(layer)
        replayed = isinstance(self.routing, TracedRouting) and sum(popularity) == tokens * self.top_k
        if replayed and max(popularity) <= tokens:
            return popularity
        return _drawn(popularity, self.top_k, tokens, f"{self.seed}/{layer}/{step}")

    def _popularity(self, layer: int) -> tuple[int, ...]:
        if isinstance(self.routing, TracedRouting):
            return self._traced[layer]
        if isinstance(self.routing, PowerLawRouting):
            return power_law(self.routing.exponent, self.experts, Random(f"{self.seed}/{layer}"))
        return (1,) * self.experts

    @cached_property
    def _traced(self) -> dict[int, tuple[int, ...]]:
        rows = self.routing.file if isinstance(self.routing, TracedRouting) else ()
        found: dict[int, list[int]] = {row.layer: [0] * self.experts for row in rows}
        for row in rows:
            found[row.layer][row.expert] = row.load
        return {layer: tuple(loads) for layer, loads in found.items()}


@lru_cache(maxsize=1 << 13)
def _drawn(popularity: tuple[int, ...], top_k: int, tokens: int, seed: str) -> tuple[int, ...]:
    """The loads of a layer in a step; a workload is traced again to be timed, priced or held against a measurement."""
    return draw(popularity, top_k, tokens, Random(seed))


def power_law(exponent: float, experts: int, ranks: Random) -> tuple[int, ...]:
    """Popularity in proportion to rank^-exponent, ranks dealt out at random."""
    by_rank = [max(1, round(MOST_POPULAR * rank**-exponent)) for rank in range(1, experts + 1)]
    dealt = sorted((ranks.random(), popularity) for popularity in by_rank)
    return tuple(popularity for _, popularity in dealt)


def draw(popularity: Sequence[int], top_k: int, tokens: int, source: Random) -> tuple[int, ...]:
    """The loads of experts after each token took `top_k` different ones.

    A point is drawn on a line on which each expert has its popularity as length and those taken have none.
    """
    ends, random = list(accumulate(popularity)), source.random
    loads = [0] * len(popularity)
    for _ in range(tokens):
        taken: list[int] = []
        left = ends[-1]
        for _ in range(top_k):
            point = int(random() * left)
            for expert in taken:
                if point < ends[expert] - popularity[expert]:
                    break
                point += popularity[expert]
            chosen = bisect_right(ends, point)
            insort(taken, chosen)
            left -= popularity[chosen]
            loads[chosen] += 1
    return tuple(loads)


def _ranges(layers: Sequence[int]) -> str:
    """Numbers of layers, shortened where they follow one another."""
    consecutive = layers and list(layers) == list(range(layers[0], layers[-1] + 1))
    return f"{layers[0]} to {layers[-1]}" if consecutive else ", ".join(map(str, layers)) or "none"
