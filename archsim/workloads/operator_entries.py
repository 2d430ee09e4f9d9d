"""The entries of a list of operators: matrix products, streams of data, and vector operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.config.units import Bytes
from archsim.model.trace import Role


def _filled(row: Any) -> Any:
    """A row of a CSV file without its empty cells."""
    return {key: cell for key, cell in row.items() if cell not in ("", None)} if isinstance(row, Mapping) else row


def _names(cell: Any) -> Any:
    return cell.split() if isinstance(cell, str) else cell


Names = Annotated[tuple[str, ...], BeforeValidator(_names, json_schema_input_type=str | list[str])]
"""Names of entries: a list, or one text with spaces between."""


class _Entry(Checked):
    name: str = Field(pattern=r"^\S+$")
    after: Names = Field(default=(), description="earlier entries that it waits for, and does not read")


class GemmEntry(_Entry):
    """[m x batch, k] x [k, n] against weights of its own."""

    kind: Literal["gemm"]
    m: PositiveInt = Field(default=1, description="rows of each sequence")
    n: PositiveInt
    k: PositiveInt
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: data from outside")
    shards: Literal["columns", "rows", "none"] = Field(default="columns", description="how devices divide the weights")

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.m * self.n


class VectorEntry(_Entry):
    """Operations of the vector unit, counted for each value that it puts out."""

    kind: Literal["vector"]
    elements: PositiveInt = Field(description="values of one sequence that it puts out")
    ops_per_element: NonNegativeInt = 1
    inputs: Names = Field(default=(), description="earlier entries whose output it reads; none: as much from outside")

    @property
    def puts_out(self) -> int:
        """Values of one sequence."""
        return self.elements


class StreamEntry(_Entry):
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


Entry = Annotated[GemmEntry | StreamEntry | VectorEntry, Field(discriminator="kind"), BeforeValidator(_filled)]
