"""One pass of new tokens through a transformer: its tensors, and the operators that occur more than once.

Operations of the vector unit are counted per element; these are conventions of this project, not measurements:

- norm 4: square, accumulate, scale by the root, scale by the weight;
- rotary 3: two products and a sum;
- softmax 5 per score: maximum, difference, exponential, sum, quotient;
- residual 1, bias 1;
- gated SiLU 5: exponential, sum, quotient, two products;
- plain GELU 8: four for its cubic argument, two for the hyperbolic tangent, a sum and a product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from archsim.model.dtype import packed_bytes
from archsim.model.trace import Gemm, Operator, Sharding, Tensor
from archsim.model.workload import Dtypes
from archsim.workloads.transformer_model import TransformerModel

NORM_OPS = 4
ROTARY_OPS = 3
SOFTMAX_OPS = 5
RESIDUAL_OPS = 1
BIAS_OPS = 1
GATED_ACTIVATION_OPS = 5
PLAIN_ACTIVATION_OPS = 8

Part = Literal["embedding", "head", "norms", "rotary", "residuals", "kv_append", "attention", "activation"]
"""What a workload can leave out."""

PARTS: dict[str, Part] = {
    **{part: part for part in get_args(Part) if part not in ("norms", "residuals")},
    **dict.fromkeys(("attn_norm", "qk_norm", "ffn_norm", "final_norm"), "norms"),
    **dict.fromkeys(("attn_residual", "ffn_residual"), "residuals"),
}
"""The part that an operator belongs to; the matrices of the layers belong to none."""


@dataclass(frozen=True, slots=True)
class Pass:
    """`tokens` new tokens of each of `batch` sequences on their way through a model `without` some of its parts."""

    model: TransformerModel
    dtypes: Dtypes
    batch: int
    tokens: int
    without: frozenset[Part]

    @property
    def rows(self) -> int:
        """New tokens of all sequences."""
        return self.batch * self.tokens

    def keeps(self, operator: str) -> bool:
        """Whether the operator is part of this pass."""
        return PARTS.get(operator) not in self.without

    def joins(self, operator: str) -> str:
        """The operator's name as a kernel to join, empty where it is left out."""
        return operator if self.keeps(operator) else ""

    @property
    def normed(self) -> str:
        """What a layer's matrices read."""
        return "hidden" if "norms" in self.without else "normed"

    @property
    def added(self) -> str:
        """What attention and feed-forward put out: a term of the residual stream, or the stream itself."""
        return "hidden" if "residuals" in self.without else "delta"

    def values(self, name: str, elements: int) -> Tensor:
        """Activations."""
        return Tensor(name, "activations", elements, self.dtypes.activations, self._plain_bytes(elements))

    def weights(self, name: str, rows: int, length: int) -> Tensor:
        """A matrix of `rows` weight vectors, each `length` long in the reduction dimension."""
        stored = self.dtypes.weights
        return Tensor(name, "weights", rows * length, stored.dtype, stored.bytes(rows, length))

    def matrix(self, operator: str, shape: Gemm) -> Tensor:
        """Weights of a GEMM; a tied head has those of the embedding."""
        tied = operator == "head" and self.model.tied_embeddings
        return self.weights("embedding.weight" if tied else f"{operator}.weight", shape.n, shape.k)

    def weight_vector(self, name: str, elements: int) -> Tensor:
        """Weights of a norm or a bias: kept in the type of the activations."""
        return Tensor(name, "weights", elements, self.dtypes.activations, self._plain_bytes(elements))

    def kv(self, tokens: int) -> Tensor:
        """Keys and values of `tokens` tokens of each sequence in one layer."""
        vectors, stored = 2 * self.batch * tokens * self.model.kv_heads, self.dtypes.kv
        size = self.model.head_size
        return Tensor("kv", "kv", vectors * size, stored.dtype, stored.bytes(vectors, size))

    def _plain_bytes(self, elements: int) -> int:
        return packed_bytes(elements, self.dtypes.activations)


def gemm(at: Pass, name: str, shape: Gemm, source: str, makes: tuple[Tensor, ...], shards: Sharding) -> Operator:
    """[m, k] x [k, n] against the weights of that name, with their bias where the model has one."""
    biased = name in at.model.biased
    bias = (at.weight_vector(f"{name}.bias", shape.n),) if biased else ()
    return Operator(
        name,
        reads=(at.values(source, shape.m * shape.k), at.matrix(name, shape), *bias),
        writes=makes,
        macs=shape.m * shape.n * shape.k,
        mac_dtype=at.dtypes.activations,
        vector_ops=BIAS_OPS * shape.m * shape.n if biased else 0,
        shape=shape,
        shards=shards,
    )


def norm(at: Pass, name: str, rows: int) -> Operator:
    """Root-mean-square norm of `rows` rows of the residual stream."""
    size = rows * at.model.hidden
    return Operator(
        name,
        reads=(at.values("hidden", size), at.weight_vector(f"{name}.weight", at.model.hidden)),
        writes=(at.values("normed", size),),
        mac_dtype=at.dtypes.activations,
        vector_ops=NORM_OPS * size,
    )


def residual(at: Pass, name: str, rows: int, joins: str) -> Operator:
    """Addition of what a part put out to `rows` rows of the residual stream."""
    size = rows * at.model.hidden
    return Operator(
        name,
        reads=(at.values("hidden", size), at.values(at.added, size)),
        writes=(at.values("hidden", size),),
        mac_dtype=at.dtypes.activations,
        vector_ops=RESIDUAL_OPS * size,
        joins=at.joins(joins),
    )
