"""Where a block's rows leave for their experts and where they come together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from archsim.mappers.shares import busiest_experts, by_device
from archsim.model.trace import Experts, Operator


@dataclass(frozen=True, slots=True)
class Routing:
    """The operators of a block's experts, `first` to `last`, and the one that makes the `sum` of what they put out.

    `part` is the part of all routed rows that the busiest device has, `parts` are those of each where they are told
    apart.
    """

    first: str
    last: str
    sum: str
    part: Fraction
    parts: tuple[Fraction, ...] = ()

    def busiest(self, size: int) -> tuple[int, Fraction]:
        """Bytes of the busiest device of a tensor of all routed rows, and how often all devices move as much."""
        return -(-size * self.part.numerator // self.part.denominator), 1 / self.part


def routing_of(operators: Sequence[Operator], devices: int, *, apart: bool = False) -> Routing | None:
    """The routing of a block, None where it has no experts or nobody to share them with; `apart`: with all parts."""
    routed = [operator for operator in operators if operator.shards == "experts"]
    shapes = [operator.shape for operator in routed if isinstance(operator.shape, Experts)]
    if not shapes or devices == 1:
        return None
    made = {tensor.name for operator in routed for tensor in operator.writes}
    sums = [
        operator.name
        for operator in operators
        if operator.shards != "experts" and any(tensor.name in made for tensor in operator.reads)
    ]
    loads = shapes[0].loads
    part = Fraction(sum(busiest_experts(loads, devices)), sum(loads))
    parts = tuple(Fraction(sum(group), sum(loads)) for group in by_device(loads, devices)) if apart else ()
    return Routing(routed[0].name, routed[-1].name, sums[0] if sums else "", part, parts)
