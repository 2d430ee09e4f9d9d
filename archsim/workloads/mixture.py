"""A mixture of experts in place of the feed-forward part: a router, the experts that it names, and a shared one.

Rows are tokens x top_k: each expert reads the rows routed to it, and only experts with rows read their weights.
Operations of the vector unit, conventions of this project:

- routing 3 per token and expert: two for the score, one comparison; 1 more where a bias is added for the selection;
- combination 2 per row and value, weight and sum, and 1 per token and value for the shared expert; 1 more where that
  has a gate, and 3 per token for its sigmoid.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Experts, Gemm, Operator, Tensor
from archsim.workloads.feed_forward import ACTIVATION_OPS, Activation, feed_forward, up_projection
from archsim.workloads.routing import Router
from archsim.workloads.sublayer import Step, Sublayer
from archsim.workloads.token_pass import BIAS_OPS, Operators, Pass, gemm, vector

SCORE_OPS = 3
SELECTION_BIAS_OPS = 1
COMBINE_OPS = 2
SHARED_OPS = 1
SIGMOID_OPS = 3
GATED_OPS = 1


class Mixture(Checked):
    """The experts of a layer."""

    count: PositiveInt = Field(description="routed experts")
    top_k: PositiveInt = Field(description="experts that a token goes to")
    width: PositiveInt = Field(description="inner width of an expert")
    shared_width: PositiveInt | None = Field(
        default=None, description="inner width of the shared experts together, which every token goes to; none: no such"
    )
    shared_gate: bool = Field(default=False, description="a projected gate of what the shared experts put out")
    bias: bool = Field(default=False, description="router and matrices of experts add a bias")
    selection_bias: bool = Field(default=False, description="a value per expert that counts for the selection alone")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.top_k > self.count:
            raise UnplacedError(f"a token can't go to {self.top_k} of {self.count} experts", at=("top_k",))
        if self.shared_gate and self.shared_width is None:
            raise UnplacedError("a gate of shared experts, and there are none", "give shared_width", ("shared_gate",))
        return self


def mixture(at: Pass, experts: Mixture, activation: Activation, router: Router) -> Sublayer:
    """The sublayer; which experts a layer uses in a step is the router's to say."""
    before = (_router(at, experts),)
    width = experts.shared_width
    shared = at.values("shared", at.rows * at.model.hidden)
    beside = feed_forward(at, width, activation, shared, "shared_") if width else ()
    gate = gemm(at, "shared_gate", Gemm(at.rows, 1, at.model.hidden), at.normed, (_shared_gate(at),), "none")
    after = (*beside, *((gate,) if experts.shared_gate else ()), _combine(at, experts))
    activate = _activation(at, experts, activation)

    @cache
    def products(rows: int, active: int) -> Operators:
        """What goes up and down where some experts have rows, whichever they are."""
        above, below = shapes((*(0,) * (experts.count - active), *(1,) * (active - 1), rows - active + 1))
        return _up(at, experts, activation, above), _down(at, experts, below)

    def shapes(loads: tuple[int, ...]) -> tuple[Experts, Experts]:
        inner, outer, top_k = experts.width, at.model.hidden, experts.top_k
        above = Experts(loads, up_projection(activation)[1] * inner, outer, top_k)
        return above, Experts(loads, outer, inner, top_k)

    def routed(loads: tuple[int, ...]) -> Operators:
        up, down = products(sum(loads), len(loads) - loads.count(0))
        above, below = shapes(loads)
        return (*before, replace(up, shape=above), activate, replace(down, shape=below), *after)

    def operators(step: Step) -> Operators:
        return routed(router.loads(step.number, step.layer, at.rows))

    return Sublayer("ffn", operators, whole=routed((1,) * experts.count), drawn=True)


def _rows(at: Pass, experts: Mixture) -> int:
    return at.rows * experts.top_k


def _routes(at: Pass, experts: Mixture) -> Tensor:
    """What the router says of each token: the experts that it goes to, and their weights."""
    return at.values("routes", 2 * _rows(at, experts))


def _router(at: Pass, experts: Mixture) -> Operator:
    shape = Gemm(at.rows, experts.count, at.model.hidden)
    scores = gemm(at, "router", shape, at.normed, (_routes(at, experts),), "none")
    given = {"router.bias": experts.selection_bias, "router.score_bias": experts.bias}
    added = tuple(at.weight_vector(name, experts.count) for name, has in given.items() if has)
    ops = SCORE_OPS + SELECTION_BIAS_OPS * experts.selection_bias + BIAS_OPS * experts.bias
    return replace(scores, reads=(*scores.reads, *added), vector_ops=ops * at.rows * experts.count)


def _up(at: Pass, experts: Mixture, activation: Activation, shape: Experts) -> Operator:
    name, _ = up_projection(activation)
    rows = _rows(at, experts)
    reads = (at.values(at.normed, rows * shape.k), _routes(at, experts))
    return _products(at, experts, f"experts_{name}", shape, reads, at.values("expert_up", rows * shape.n))


def _activation(at: Pass, experts: Mixture, activation: Activation) -> Operator:
    size = _rows(at, experts) * experts.width
    up, activated = at.values("expert_up", size * up_projection(activation)[1]), at.values("expert_activated", size)
    return vector(at, "experts_activation", (up,), (activated,), ACTIVATION_OPS[activation] * size, "experts")


def _down(at: Pass, experts: Mixture, shape: Experts) -> Operator:
    rows = _rows(at, experts)
    reads = (at.values("expert_activated", rows * shape.k),)
    return _products(at, experts, "experts_down", shape, reads, at.values("expert_out", rows * shape.n))


def _products(
    at: Pass, experts: Mixture, name: str, shape: Experts, reads: tuple[Tensor, ...], result: Tensor
) -> Operator:
    outputs = (len(shape.loads) - shape.loads.count(0)) * shape.n
    bias = (at.weight_vector(f"{name}.bias", outputs),) if experts.bias else ()
    macs = sum(shape.loads) * shape.n * shape.k
    return Operator(
        name,
        reads=(*reads, at.expert_weights(f"{name}.weight", outputs, shape.k), *bias),
        writes=(result,),
        macs=macs,
        mac_dtype=at.dtypes.activations,
        vector_ops=BIAS_OPS * result.elements if experts.bias else 0,
        shape=shape,
        shards="experts",
    )


def _combine(at: Pass, experts: Mixture) -> Operator:
    """The sum of what a token's experts put out, each with its weight."""
    size, rows = at.rows * at.model.hidden, _rows(at, experts)
    shared = (at.values("shared", size),) if experts.shared_width else ()
    reads = (at.values("expert_out", rows * at.model.hidden), _routes(at, experts), *shared)
    ops = COMBINE_OPS * rows * at.model.hidden + SHARED_OPS * size * len(shared)
    if experts.shared_gate:
        reads, ops = (*reads, _shared_gate(at)), ops + SIGMOID_OPS * at.rows + GATED_OPS * size
    return vector(at, "combine", reads, (at.stream(),), ops)


def _shared_gate(at: Pass) -> Tensor:
    """How much of what the shared experts put out each token takes."""
    return at.values("shared_gate", at.rows)
