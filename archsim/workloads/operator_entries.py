"""The entries of a list of operators: matrix products, streams of data, vector operations, and whole kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Bytes
from archsim.model.trace import Role
from archsim.workloads.entry import BaseEntry, Names
from archsim.workloads.kernel_entries import (
    AttentionEntry,
    CollectiveEntry,
    ConvolutionEntry,
    ExpertsEntry,
    ScanEntry,
)


def _filled(row: Any) -> Any:
    """A row of a CSV file without its empty cells."""
    return {key: cell for key, cell in row.items() if cell not in ("", None)} if isinstance(row, Mapping) else row


class GemmEntry(BaseEntry):
    """[m x batch, k] x [k, n] against weights of its own."""

    kind: Literal["gemm"]
    m: PositiveInt = Field(default=1, description="rows of each sequence")
    n: PositiveInt
    k: PositiveInt
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: data from outside")
    shards: Literal["columns", "rows", "none"] = Field(default="columns", description="how devices divide the weights")

    @property
    def takes(self) -> int:
        """Values of one sequence."""
        return self.m * self.k

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.m * self.n


class VectorEntry(BaseEntry):
    """Operations of the vector unit, counted for each value that it puts out."""

    kind: Literal["vector"]
    elements: PositiveInt = Field(description="values of one sequence that it puts out")
    ops_per_element: NonNegativeInt = 1
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: as much from outside")

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.elements


class StreamEntry(BaseEntry):
    """Data moved from or to its home, and nothing computed: of one sequence, or weights, which all share."""

    kind: Literal["stream"]
    access: Literal["read", "write"] = "read"
    role: Role
    elements: PositiveInt | None = Field(default=None, description="values, in the data type of their role")
    bytes: Annotated[Bytes, Field(gt=0)] | None = Field(default=None, description="instead of elements")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.elements is None) == (self.bytes is None):
            raise UnplacedError(f"stream `{self.name}` takes one of elements and bytes")
        return self

    @property
    def puts_out(self) -> int:
        """Nothing to read; others can wait for it."""
        return 0


Reading = AttentionEntry | ConvolutionEntry | ExpertsEntry | GemmEntry | ScanEntry
"""Entries that read as many values as they say."""

Entry = Annotated[
    Reading | CollectiveEntry | StreamEntry | VectorEntry, Field(discriminator="kind"), BeforeValidator(_filled)
]
