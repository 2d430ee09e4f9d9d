"""Products of activations with what the memories hold, and how they are laid out over the units that stand there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from archsim.model.dtype import packed_bytes
from archsim.model.trace import Attention, Experts, Gemm, Operator, Tensor

PARTIAL_BYTES = 4
"""Partial sums are kept in fp32 or int32."""


@dataclass(frozen=True, slots=True)
class Product:
    """`blocks` side by side, each [rows, k] x [k, n] with a matrix that the memories hold.

    `held` are the bytes of all matrices, `read` those that the units read: again for every `reuse` rows. `inputs` and
    `outputs` are bytes of activations.
    """

    tensor: str
    blocks: int
    rows: int
    n: int
    k: int
    macs: int
    held: int
    read: int
    inputs: int
    outputs: int


def is_product(operator: Operator) -> bool:
    """Whether an operator is products with what a memory holds."""
    return isinstance(operator.shape, Gemm | Attention | Experts) and bool(_held(operator))


def products(operator: Operator, reuse: int) -> tuple[Product, ...]:
    """The products of an operator in order: one, or scores and values of attention."""
    shape = operator.shape
    if isinstance(shape, Attention):
        return _attention(operator, shape, reuse)
    inputs = [tensor for tensor in operator.reads if tensor.role == "activations"]
    held, ins, outs = (_bytes(tensors) for tensors in (_held(operator), inputs, _made(operator)))
    if isinstance(shape, Gemm):
        return (
            Product(
                "weights", 1, shape.m, shape.n, shape.k, operator.macs, held, held * -(-shape.m // reuse), ins, outs
            ),
        )
    if isinstance(shape, Experts):
        rows, touched = sum(shape.loads), max(1, sum(1 for load in shape.loads if load))
        passes = Fraction(sum(-(-load // reuse) for load in shape.loads), touched)
        return (Product("weights", 1, rows, shape.n, shape.k, operator.macs, held, int(held * passes), ins, outs),)
    raise AssertionError("asked of products only")


def _attention(operator: Operator, shape: Attention, reuse: int) -> tuple[Product, ...]:
    """Scores against the keys, then a sum of the values; each sequence and KV head is a block."""
    rows = shape.queries * (shape.heads // shape.kv_heads)
    passes = -(-rows // reuse)
    width = shape.value_size or shape.head_size
    held = _bytes(_held(operator))
    keys, values = (held, held * width // shape.head_size) if shape.value_size else (held - held // 2, held // 2)
    queries = _bytes(tensor for tensor in operator.reads if tensor.role == "activations")
    scores = shape.batch * shape.heads * shape.queries * shape.context
    between = packed_bytes(scores, operator.mac_dtype)
    scored = operator.macs * shape.head_size // (shape.head_size + width)
    blocks = shape.batch * shape.kv_heads
    return (
        Product("kv", blocks, rows, shape.context, shape.head_size, scored, keys, keys * passes, queries, between),
        Product(
            "kv", blocks, rows, width, shape.context, operator.macs - scored, values, values * passes, between,
            _bytes(_made(operator)),
        ),
    )  # fmt: skip


def _held(operator: Operator) -> list[Tensor]:
    return [tensor for tensor in operator.reads if tensor.role != "activations"]


def _made(operator: Operator) -> list[Tensor]:
    return [tensor for tensor in operator.writes if tensor.role == "activations"]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.bytes for tensor in tensors)


@dataclass(frozen=True, slots=True)
class Layout:
    """A product over `units` behind `lanes` that carry activations, equally many units behind each.

    A block has whole lanes to itself; where there are more blocks than lanes, the busiest lane has several. The
    units of a block divide its outputs, and its reduction in `split` parts: a lane then brings a part of the inputs
    only, and there are as many partial sums of every output.
    """

    product: Product
    units: int
    lanes: int
    split: int = 1

    @property
    def lanes_of_block(self) -> int:
        """Lanes that a block has to itself."""
        return max(1, self.lanes // self.product.blocks)

    def candidates(self, wanted: int | None) -> list[Layout]:
        """The same in the wanted number of parts, as far as it divides the lanes of a block; in any where None."""
        own = self.lanes_of_block
        parts = [gcd(own, wanted)] if wanted else [count for count in range(1, own + 1) if own % count == 0]
        return [Layout(self.product, self.units, self.lanes, count) for count in parts]

    @property
    def _turns(self) -> int:
        """Blocks of the busiest lane."""
        return -(-self.product.blocks // (self.lanes // self.lanes_of_block))

    @property
    def share(self) -> Fraction:
        """Part of all work that the busiest unit has."""
        product = self.product
        columns = max(1, self.lanes_of_block * self.units // (self.lanes * self.split))
        busiest = self._turns * -(-product.n // columns) * -(-product.k // self.split)
        return Fraction(busiest, product.blocks * product.n * product.k)

    @property
    def brought(self) -> int:
        """Bytes of inputs over all lanes, copies counted."""
        return self.product.inputs * (self.lanes_of_block // self.split)

    @property
    def brought_by_busiest(self) -> int:
        """Bytes of inputs over the busiest lane."""
        return -(-self.product.inputs * self._turns // (self.product.blocks * self.split))

    @property
    def partials(self) -> int:
        """Bytes of results over all lanes: the outputs, or the partial sums of each."""
        product = self.product
        sums = product.blocks * product.rows * product.n * self.split
        return product.outputs if self.split == 1 else sums * PARTIAL_BYTES

    @property
    def taken_by_busiest(self) -> int:
        """Bytes of results over the busiest lane."""
        return -(-self.partials * self._turns // (self.product.blocks * self.lanes_of_block))

    @property
    def additions(self) -> int:
        """Additions of partial sums."""
        product = self.product
        return product.blocks * product.rows * product.n * (self.split - 1)
