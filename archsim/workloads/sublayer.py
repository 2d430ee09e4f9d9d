"""What a layer is made of: sublayers, each of which adds a term to the residual stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from archsim.model.trace import Tensor
from archsim.workloads.language_model import DecoderModel
from archsim.workloads.token_pass import Operators, Pass, post_norm


@dataclass(frozen=True, slots=True)
class Step:
    """A layer of a pass, both numbered from 0, and the tokens of each sequence that attention sees at its end."""

    number: int
    context: int
    layer: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Sublayer:
    """What stands between a norm, `<name>_norm`, and the sum with the residual stream, `<name>_residual`.

    `operators` are those of a step; where they are `drawn`, no two layers share them. The operators of `whole` read
    every weight once. `held` is what stays in memory of all sequences once each has that many tokens.
    """

    name: str
    operators: Callable[[Step], Operators]
    whole: Operators
    held: Callable[[int], tuple[Tensor, ...]] = lambda _: ()
    drawn: bool = False


def always(name: str, operators: Operators, held: tuple[Tensor, ...] = ()) -> Sublayer:
    """A sublayer that does the same in every step, and holds the same after every token."""
    return Sublayer(name, lambda _: operators, operators, lambda _: held)


def ended(at: Pass, model: DecoderModel, part: Sublayer) -> Sublayer:
    """The sublayer with a norm of what it puts out, where the model has one."""
    if not model.post_norms:
        return part
    after = at.kept((post_norm(at, f"{part.name}_post_norm"),))
    return replace(part, operators=lambda step: (*part.operators(step), *after), whole=(*part.whole, *after))


Layer = tuple[Sublayer, ...]
