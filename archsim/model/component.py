"""What a piece of hardware is: frozen parameters, and pure functions for how fast it serves and what it bills.

A component never sees the simulation, so it is tested without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import SquareMillimetres
from archsim.model.price import Price, StaticPower
from archsim.model.process import NodeName
from archsim.model.reference import Layer

EnergyKind = Literal["compute", "sram", "dram", "link", "static", "other"]


ACTIVE_ACTION = "active"
"""Time at work of a component, counted in picoseconds of its instances and priced in watts of one."""


OPEN_ACTION = "activate"
"""Rows of a memory that accesses open."""


class Action(NamedTuple):
    """How one instance serves an action: `rate` units per second (None: no limit) through `port`, after `latency` ps.

    `unit` is what is counted (B, MAC, op; ps of time at work), `price` picojoules per unit. Actions of one port share
    its time. `peak` is the rate of the datasheet where the sustained `rate` is lower.
    """

    port: str
    rate: int | None
    latency: int
    unit: str
    price: Price
    peak: int | None = None


class Touch(NamedTuple):
    """What an access pattern does to a memory: `slower` than a stream, and rows `opened` for each byte."""

    slower: Fraction
    opened: Fraction


class Component(Checked):
    """Parameters of a group of equal instances; every kind of hardware extends this in a file of its own."""

    energy_kind: ClassVar[EnergyKind] = "other"
    pooled: ClassVar[bool] = False
    """Whether work goes to any idle instance (tiles under a scheduler), or the address decides which (memories)."""

    kind: str
    count: PositiveInt = Field(default=1, description="equal instances")
    static: StaticPower = Field(description="power of one instance whenever the machine is on, whatever it does")
    area: SquareMillimetres | None = Field(default=None, description="area of one instance")
    library: str | None = Field(
        default=None, description="entry of the component library that gives what is left out here"
    )
    node: str | None = Field(default=None, description="process node of its prices: `5 nm`, `TSMC N5`")
    scale_to: NodeName | None = Field(
        default=None,
        description="process node that its energies are scaled to: `3 nm`, from 16 to 2; the machine's if none",
    )
    covers: tuple[Layer, ...] = Field(default=(), description="layers of the way of a byte that its prices hold")
    note: str | None = Field(default=None, description="for the reader")

    def actions(self) -> Mapping[str, Action]:
        """Actions by name."""
        raise NotImplementedError

    def issued(self, m: int, n: int, k: int) -> int | None:
        """MAC slots that one instance spends on [m, k] x [k, n]; None where any shape keeps all its MACs at work."""
        return None

    def touch(self, run: int | None) -> Touch | None:
        """What runs of so many contiguous bytes do (None: a stream); None where the pattern makes no difference."""
        return None

    @property
    def window_bytes(self) -> int | None:
        """Bytes that one instance can have outstanding as a requester (None: no limit)."""
        return None

    @property
    def grain_bytes(self) -> int:
        """Bytes that arrive together at one instance."""
        return 1

    @property
    def capacity_bytes(self) -> int | None:
        """Bytes that one instance holds: 0 where it holds none, None where there is no limit."""
        return 0


class Connector(Component):
    """A component that stands between two others: an edge of the machine's graph."""

    energy_kind: ClassVar[EnergyKind] = "link"

    between: tuple[str, str] = Field(
        description="the two components that it joins; `device` stands for the whole machine"
    )
    topology: Literal["line", "ring", "mesh", "torus", "star", "switch"] | None = Field(
        default=None,
        description="how the instances of one group are joined to each other; none: one link between two groups",
    )
    shape: Annotated[tuple[PositiveInt, ...], Field(max_length=2)] | None = Field(
        default=None, description="rows and columns of a mesh or torus; a square where left out"
    )
