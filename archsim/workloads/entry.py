"""What all entries of a list of operators have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from archsim.config.checked import Checked


def _names(cell: Any) -> Any:
    return cell.split() if isinstance(cell, str) else cell


Names = Annotated[tuple[str, ...], BeforeValidator(_names, json_schema_input_type=str | list[str])]
"""Names of entries: a list, or one text with spaces between."""


class BaseEntry(Checked):
    """One entry; a row of a CSV file has a column for each field."""

    name: str = Field(pattern=r"^\S+$")
    after: Names = Field(default=(), description="earlier entries that it waits for, and does not read")
