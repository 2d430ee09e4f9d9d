"""A hardware file as checked values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, field_validator

from archsim.config.checked import Checked
from archsim.config.units import Picoseconds, Watts
from archsim.model.dtype import Dtype
from archsim.model.price import Boundary, Factor, StaticPower
from archsim.model.process import NodeName
from archsim.model.site import Site
from archsim.model.workload import StoredAs

HardwareClass = Literal["gpu", "dataflow", "near-memory", "hard-wired", "edge", "reference"]


class NativeDtypes(Checked):
    """The data types that a machine is meant to run."""

    weights: StoredAs
    kv: StoredAs
    activations: Dtype


class Evidence(Checked):
    """What stands behind one quantity of a machine.

    `fitted` means that constants of the machine or its stack derive from these measurements: an anchor, no test.
    """

    standing: Literal["measured", "fitted", "none"] = Field(
        description="measured: held against measurements that no constant derives from; fitted: some do; none"
    )
    against: str = Field(description="which measurements, or why there are none")
    families: tuple[str, ...] = Field(default=(), description="workload families that were measured; all if left out")
    ratio: tuple[PositiveFloat, PositiveFloat] | None = Field(
        default=None, description="measured over simulated, least and most"
    )

    @field_validator("ratio")
    @classmethod
    def _ordered(cls, ratio: tuple[float, float] | None) -> tuple[float, float] | None:
        if ratio is not None and ratio[0] > ratio[1]:
            raise ValueError(f"the least comes first: [{ratio[1]:g}, {ratio[0]:g}]")
        return ratio


class Validated(Checked):
    """What a machine was held against; it holds for the name and the stack given, so a copy that differs loses it."""

    machine: str = Field(description="name of the machine that was measured")
    stack: str = Field(description="stack that it was measured with")
    time: Evidence
    energy: Evidence


class PowerCap(Checked):
    """The power that a board keeps to over a long run, and how it slows down for it."""

    power: StaticPower = Field(description="of one device")
    exponent: Factor = Field(
        description="of clocked power in the clock: 1 + twice the slope of voltage on clock, both relative"
    )
    clocked: tuple[str, ...] = Field(description="components and links that slow down with the clock")
    settles: Picoseconds = Field(
        default=0,
        description="how long a phase runs at the nominal clock before the limit acts; from then on its kernels share "
        "one clock; none: each kernel is held by itself",
    )


def _stack_name(stack: object) -> object:
    return stack["name"] if isinstance(stack, dict) and "name" in stack else stack


_StackName = Annotated[str, BeforeValidator(_stack_name, json_schema_input_type=str)]
"""Of a stack that stands in the file, which is checked by itself, the name."""


class Header(Checked):
    """What a hardware file says beside its components, links and mapper, which are checked by their kinds."""

    schema_name: Literal["archsim.hardware/1"] = Field(alias="schema")
    name: str
    hardware_class: HardwareClass = Field(alias="class")
    boundary: Boundary = Field(description="what its static power and prices cover")
    devices: PositiveInt = 1
    tdp: Watts | None = Field(default=None, gt=0, description="of one device; results above it are marked")
    power_cap: PowerCap | None = Field(
        default=None, description="limit that the board enforces by its clock; without one, time knows no power"
    )
    stack: _StackName = Field(default="ideal", description="software: overheads and kernels, by name")
    native_dtypes: NativeDtypes | None = None
    validated: Validated | None = Field(
        default=None, description="what its time and energy were held against; every report says so"
    )
    components: Mapping[str, Any]
    links: Mapping[str, Any] = {}
    mapper: Mapping[str, Any]
    scale_to: NodeName | None = Field(
        default=None,
        description="process node that all components are scaled to whose own is stated: `3 nm`, from 16 to 2",
    )
    site: Site = Field(
        default=Site.model_construct(), description="what stands around the machine, for wider boundaries"
    )
    libraries: tuple[str, ...] = Field(
        default=(), description="files with library entries of your own, beside this one; they stand beside the shipped"
    )
    sources: Mapping[str, str] = Field(
        default={}, description="for numbers that are not prices: path of the value, and where it is from"
    )
