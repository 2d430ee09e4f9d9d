"""A hardware file as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import Watts
from archsim.model.dtype import Dtype
from archsim.model.price import Boundary
from archsim.model.workload import StoredAs

HardwareClass = Literal["gpu", "dataflow", "near-memory", "hard-wired", "edge", "reference"]


class NativeDtypes(Checked):
    """The data types that a machine is meant to run."""

    weights: StoredAs
    kv: StoredAs
    activations: Dtype


class Header(Checked):
    """What a hardware file says beside its components, links and mapper, which are checked by their kinds."""

    schema_name: Literal["archsim.hardware/1"] = Field(alias="schema")
    name: str
    hardware_class: HardwareClass = Field(alias="class")
    boundary: Boundary = Field(description="what its static power and prices cover")
    devices: PositiveInt = 1
    tdp: Watts | None = Field(default=None, description="of one device; results above it are marked")
    stack: str = Field(default="ideal", description="software: overheads and kernels, by name")
    native_dtypes: NativeDtypes | None = None
    components: Mapping[str, Any]
    links: Mapping[str, Any] = {}
    mapper: Mapping[str, Any]
    sources: Mapping[str, str] = Field(
        default={}, description="for numbers that are not prices: path of the value, and where it is from"
    )
