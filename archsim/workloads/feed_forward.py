"""The feed-forward part of a layer: up, activation, down.

Operations of the vector unit per value, conventions of this project:

- gated SiLU (swiglu) 5: exponential, sum, quotient, two products;
- plain GELU 8: four for its cubic argument, two for the hyperbolic tangent, a sum and a product; gated (geglu) 9;
- squared ReLU (relu2) 2: maximum and square.
"""

from __future__ import annotations

from typing import Literal

from archsim.model.trace import Gemm, Sharding, Tensor
from archsim.workloads.token_pass import Operators, Pass, gemm, vector

Activation = Literal["swiglu", "geglu", "gelu", "relu2"]

ACTIVATION_OPS: dict[Activation, int] = {"swiglu": 5, "geglu": 9, "gelu": 8, "relu2": 2}


def up_projection(activation: Activation) -> tuple[str, int]:
    """The name of the first matrix and its outputs per inner value: a gated one has two, side by side."""
    return ("gate_up", 2) if activation in {"swiglu", "geglu"} else ("up", 1)


def feed_forward(at: Pass, width: int, activation: Activation, result: Tensor, prefix: str = "") -> Operators:
    """From what the layer's matrices read to `result`; names of operators and tensors begin with `prefix`."""
    name, outputs = up_projection(activation)
    up, size = at.values(f"{prefix}up", at.rows * outputs * width), at.rows * width
    activated = at.values(f"{prefix}activated" if at.keeps("activation") else up.name, size)
    shape = Gemm(at.rows, outputs * width, at.model.hidden)
    columns: Sharding = "columns"
    operators = (
        gemm(at, f"{prefix}{name}", shape, at.normed, (up,), columns),
        vector(at, f"{prefix}activation", (up,), (activated,), ACTIVATION_OPS[activation] * size, columns),
        gemm(at, f"{prefix}down", Gemm(at.rows, at.model.hidden, width), activated.name, (result,), "rows"),
    )
    return at.kept(operators)
