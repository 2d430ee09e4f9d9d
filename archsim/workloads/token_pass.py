"""One pass of new tokens through a model: its tensors, and the operators that every layer has.

Operations of the vector unit are counted per element; these are conventions of this project, not measurements:

- norm 4: square, accumulate, scale by the root, scale by the weight;
- residual 1, bias 1;
- sampling 7 per logit: temperature, softmax 5, comparison with a random number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from archsim.model.dtype import Dtype, packed_bytes
from archsim.model.trace import Gemm, Operator, Role, Sampling, Sharding, Tensor
from archsim.model.workload import Dtypes, Format
from archsim.workloads.language_model import LanguageModel

NORM_OPS = 4
RESIDUAL_OPS = 1
BIAS_OPS = 1
SAMPLING_OPS = 7

Part = Literal["embedding", "head", "norms", "rotary", "residuals", "kv_append", "attention", "activation"]
"""What a workload can leave out; the matrices of the layers belong to no part."""

_PARTS_BY_SUFFIX = {"norm": "norms", "residual": "residuals", "activation": "activation"}

Operators = tuple[Operator, ...]


class Prompts(NamedTuple):
    """Prompts of equal length that join a pass: their rows share its matrices."""

    sequences: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Pass:
    """`tokens` new tokens of each of `batch` sequences on their way through a model `without` some of its parts.

    Where `prompts` join, what looks at single sequences (attention, a recurrence) does so for each of its `parts`.
    """

    model: LanguageModel
    dtypes: Dtypes
    batch: int
    tokens: int
    without: frozenset[Part] = frozenset()
    prompts: Prompts | None = None

    @property
    def rows(self) -> int:
        """New tokens of all sequences."""
        return self.batch * self.tokens + (self.prompts.sequences * self.prompts.tokens if self.prompts else 0)

    @property
    def sequences(self) -> int:
        """Sequences of which the last token is asked for."""
        return self.batch + (self.prompts.sequences if self.prompts else 0)

    @property
    def parts(self) -> tuple[tuple[str, Pass], ...]:
        """Sequences with as many new tokens each, by what the names of their operators begin with."""
        if self.prompts is None:
            return (("", self),)
        alone = replace(self, prompts=None)
        sequences, tokens = self.prompts
        ongoing = (("", alone),) if self.batch else ()
        return (*ongoing, ("prompt_", replace(alone, batch=sequences, tokens=tokens)))

    @property
    def from_nothing(self) -> bool:
        """Whether nothing comes before the new tokens: a prompt; a single token goes on from earlier ones."""
        return self.tokens > 1

    def keeps(self, operator: str) -> bool:
        """Whether the operator is part of this pass: `ffn_norm` belongs to the norms, `embedding` is a part itself."""
        return _PARTS_BY_SUFFIX.get(operator.rpartition("_")[2], operator) not in self.without

    def kept(self, operators: Iterable[Operator]) -> Operators:
        """The operators that are part of this pass."""
        return tuple(operator for operator in operators if self.keeps(operator.name))

    def joins(self, operator: str) -> str:
        """The operator's name as a kernel to join, empty where it is left out."""
        return operator if self.keeps(operator) else ""

    @property
    def normed(self) -> str:
        """What a layer's matrices read."""
        return self.normed_last if self.model.normed_before else "hidden"

    @property
    def normed_last(self) -> str:
        """What the head reads."""
        return "hidden" if "norms" in self.without else "normed"

    @property
    def added(self) -> str:
        """What a sublayer puts out: a term of the residual stream, or the stream itself."""
        return "hidden" if "residuals" in self.without else "delta"

    def stream(self) -> Tensor:
        """What a sublayer puts out, for all new tokens."""
        return self.values(self.added, self.rows * self.model.hidden)

    def values(self, name: str, elements: int) -> Tensor:
        """Activations."""
        return self.plain(name, "activations", elements, self.dtypes.activations)

    def weights(self, name: str, rows: int, length: int) -> Tensor:
        """A matrix of `rows` weight vectors, each `length` long in the reduction dimension."""
        return self._matrix(name, rows, length, self.dtypes.weights)

    def expert_weights(self, name: str, rows: int, length: int) -> Tensor:
        """The same of routed experts, which may be stored in a type of their own."""
        return self._matrix(name, rows, length, self.dtypes.experts or self.dtypes.weights)

    def _matrix(self, name: str, rows: int, length: int, stored: Format) -> Tensor:
        return Tensor(name, "weights", rows * length, stored.dtype, stored.bytes(rows, length))

    def matrix(self, operator: str, shape: Gemm) -> Tensor:
        """Weights of a GEMM; a tied head has those of the embedding."""
        tied = operator == "head" and self.model.tied_embeddings
        return self.weights("embedding.weight" if tied else f"{operator}.weight", shape.n, shape.k)

    def weight_vector(self, name: str, elements: int) -> Tensor:
        """Weights of a norm, a bias or another short vector: kept in the type of the activations."""
        return self.plain(name, "weights", elements, self.dtypes.activations)

    def kv(self, vectors: int, length: int) -> Tensor:
        """As many cached vectors of that length, of all sequences in one layer."""
        stored = self.dtypes.kv
        return Tensor("kv", "kv", vectors * length, stored.dtype, stored.bytes(vectors, length))

    def plain(self, name: str, role: Role, elements: int, dtype: Dtype) -> Tensor:
        """Values stored without scales."""
        return Tensor(name, role, elements, dtype, packed_bytes(elements, dtype))


def gemm(at: Pass, name: str, shape: Gemm, source: str, makes: tuple[Tensor, ...], shards: Sharding) -> Operator:
    """[m, k] x [k, n] against the weights of that name, with their bias where the model has one."""
    return product(at, name, shape, (at.values(source, shape.m * shape.k),), makes, shards)


def product(
    at: Pass, name: str, shape: Gemm, reads: tuple[Tensor, ...], makes: tuple[Tensor, ...], shards: Sharding
) -> Operator:
    """The same, of inputs that are not one tensor of [m, k]."""
    biased = name in at.model.biased
    bias = (at.weight_vector(f"{name}.bias", shape.n),) if biased else ()
    macs = shape.m * shape.n * shape.k
    return Operator(
        name,
        reads=(*reads, at.matrix(name, shape), *bias),
        writes=makes,
        macs=macs,
        mac_dtype=at.dtypes.activations,
        vector_ops=BIAS_OPS * shape.m * shape.n if biased else 0,
        shape=shape,
        shards=shards,
    )


def in_part(name: str, operator: Operator) -> Operator:
    """An operator of a part of a pass, named after it."""
    return replace(operator, name=f"{name}{operator.name}") if name else operator


def vector(
    at: Pass, name: str, reads: tuple[Tensor, ...], writes: tuple[Tensor, ...], ops: int, shards: Sharding = "none"
) -> Operator:
    """Operations of the vector unit."""
    return Operator(name, reads, writes, mac_dtype=at.dtypes.activations, vector_ops=ops, shards=shards)


def norm(at: Pass, name: str, rows: int) -> Operator:
    """Root-mean-square norm of `rows` rows of the residual stream."""
    size = rows * at.model.hidden
    reads = (at.values("hidden", size), at.weight_vector(f"{name}.weight", at.model.hidden))
    return vector(at, name, reads, (at.values("normed", size),), NORM_OPS * size)


def post_norm(at: Pass, name: str) -> Operator:
    """The same of what a sublayer put out, before it is added."""
    put_out = at.stream()
    reads = (put_out, at.weight_vector(f"{name}.weight", at.model.hidden))
    return vector(at, name, reads, (put_out,), NORM_OPS * put_out.elements)


def residual(at: Pass, name: str, rows: int, joins: str) -> Operator:
    """Addition of what a sublayer put out to `rows` rows of the residual stream."""
    size = rows * at.model.hidden
    return Operator(
        name,
        reads=(at.values("hidden", size), at.values(at.added, size)),
        writes=(at.values("hidden", size),),
        mac_dtype=at.dtypes.activations,
        vector_ops=RESIDUAL_OPS * size,
        joins=at.joins(joins),
    )


def embedding(at: Pass) -> Operator:
    """The rows of the table that the tokens name."""
    model = at.model
    touched = min(at.rows, model.vocabulary)
    reads = (_token_ids(at.rows), at.weights("embedding.weight", touched, model.hidden))
    return vector(at, "embedding", reads, (at.values("hidden", at.rows * model.hidden),), 0)


def head(at: Pass) -> Operator:
    """The logits of the last token of each sequence only: no other is asked for."""
    logits = at.values("logits", at.sequences * at.model.vocabulary)
    shape = Gemm(at.sequences, at.model.vocabulary, at.model.hidden)
    return gemm(at, "head", shape, at.normed_last, (logits, _token_ids(at.sequences)), "columns")


def sampling(at: Pass) -> Operator:
    """A token of each sequence, drawn from its logits."""
    logits = at.values("logits", at.sequences * at.model.vocabulary)
    return Operator(
        "sampling",
        reads=(logits,),
        writes=(_token_ids(at.sequences),),
        mac_dtype=at.dtypes.activations,
        vector_ops=SAMPLING_OPS * logits.elements,
        shape=Sampling(at.sequences, at.model.vocabulary),
    )


def _token_ids(tokens: int) -> Tensor:
    """What ties a token to the one before: the head names it, the embedding looks it up. An id is as wide as fp32."""
    return Tensor("tokens", "activations", tokens, "fp32", 4 * tokens)
