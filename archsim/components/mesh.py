"""A mesh of routers: what is sent over it pays for each hop, in time and in energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from archsim.config.units import Bandwidth, Picoseconds
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import BytePrice

KIND = "mesh"


class Mesh(Component):
    """One mesh with a router beside each core; a mapper that places work on it knows the distances.

    Too many routers for a graph with a node each: the mesh is one node, and counts bytes x hops.
    """

    energy_kind: ClassVar[EnergyKind] = "link"

    kind: Literal["mesh"]
    shape: Annotated[tuple[PositiveInt, PositiveInt], Field(description="rows and columns of routers")]
    bandwidth: Bandwidth = Field(description="of one link between neighbours, in each direction")
    hop: Picoseconds = Field(gt=0, description="from a router to its neighbour")
    energy: BytePrice = Field(description="per byte and hop")

    @property
    def links(self) -> int:
        """Links between neighbours, each direction counted."""
        rows, columns = self.shape
        return 2 * (2 * rows * columns - rows - columns)

    def actions(self) -> Mapping[str, Action]:
        """`hop`, in bytes x hops; the port is that of one link."""
        peak = self.bandwidth * max(1, self.links)
        return {"hop": Action("link", self.bandwidth, self.hop, "B", self.energy, peak)}


SPEC = Mesh
