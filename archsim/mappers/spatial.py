"""Dataflow machines: layers stay in regions of a mesh or on groups of chips, and activations travel between them.

Weights and caches rest where they are used. A sequence passes the stages in order; several may be on the way at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.mappers import ground as grounds
from archsim.mappers.collectives import refuse_stated
from archsim.mappers.ground import Ground, Placed, Wish
from archsim.mappers.passes import Load, alike, loads, passes
from archsim.mappers.region import Homes, homes
from archsim.mappers.resident import Settled, planned
from archsim.model.machine import Machine
from archsim.model.plan import Plan
from archsim.model.stack import Stack
from archsim.model.trace import Trace

KIND = "spatial"


class Spatial(Checked):
    """The mapper's section of a hardware file."""

    kind: Literal["spatial"]
    tile: str = Field(description="component that computes")
    weights: str = Field(description="memory where weights rest")
    kv: str | None = Field(default=None, description="memory of caches and state; that of the weights where left out")
    activations: str | None = Field(
        default=None, description="memory of activations; the one beside the tiles where left out"
    )
    fabric: str | None = Field(
        default=None, description="mesh that regions are placed on; none: stages are whole devices"
    )
    region: PositiveInt | None = Field(
        default=None, description="cores on a side of a region; left out, each layer has one, as large as it can be"
    )
    tensor_parallel: PositiveInt | None = Field(
        default=None, description="devices that share a stage, where there is no fabric"
    )
    pipeline_parallel: PositiveInt | None = Field(default=None, description="stages; as many as fit where left out")
    sequences_in_flight: PositiveInt | None = Field(
        default=None, description="most sequences on the way at once; all of the batch where left out"
    )
    buffers: PositiveInt = Field(default=2, description="results that fit between two stages, on either side")
    reduction: PositiveInt | Literal["all"] = Field(
        default="all", description="MACs that are summed before the sum touches memory; all: there are accumulators"
    )
    fused: bool = Field(default=False, description="whether operators run as one, up to where results must meet")


SPEC = Spatial


def plan(trace: Trace, machine: Machine, spec: Spatial, stack: Stack, batch: int) -> Plan:
    """A pipeline of stages that holds a trace.

    Raises:
        PlanError: where the trace does not go onto the machine.
    """
    refuse_stated(trace)
    places = homes(machine, spec.tile, spec.weights, spec.kv, spec.activations)
    courses = alike(passes(trace, batch))
    ground, placed = _placed(machine, spec, stack, places, loads(trace, courses[-1]), trace.heads)
    settled = Settled(
        layout=ground.layout,
        homes=places,
        placed=placed,
        in_flight=min(batch, spec.sequences_in_flight or batch),
        buffers=spec.buffers,
        reduction=None if spec.reduction == "all" else spec.reduction,
        fused=spec.fused,
    )
    found = planned(trace, courses, machine, stack, batch, settled)
    stages = placed[-1] + 1
    where = f"{ground.text}, {stages} of them in use for {len(placed)} layers, embedding and head"
    return replace(
        found,
        parallel={"tensor_parallel": ground.devices_each, "pipeline_parallel": stages},
        settings={"placement": where, **found.settings},
    )


def _placed(machine: Machine, spec: Spatial, stack: Stack, places: Homes, kept: Sequence[Load], heads: int) -> Placed:
    """The ground, and the stage of each unit on it: the most stages that hold their units.

    Unless the file says so, no more devices share a stage than there are attention heads to share.

    Raises:
        PlanError: where a stage cannot hold its units.
    """
    chosen = not (spec.tensor_parallel or spec.pipeline_parallel)

    def options(devices: int) -> Iterator[tuple[Ground, int]]:
        for wanted in _stages_to_try(spec, len(kept)):
            wish = Wish(wanted, spec.tensor_parallel, spec.region)
            if spec.fabric:
                ground = grounds.regions(machine, places, stack, spec.fabric, wish, devices)
            else:
                ground = grounds.chips(machine, places, stack, wish, devices)
            if not chosen or not heads or ground.devices_each <= heads or wanted == len(kept):
                yield ground, min(ground.slots, wanted)

    return grounds.first_fit(options, kept, places, machine.devices)


def _stages_to_try(spec: Spatial, units: int) -> Iterator[int]:
    """One stage for each unit, then fewer and larger ones, unless the file says how many or how large."""
    if spec.pipeline_parallel or spec.region or spec.tensor_parallel:
        yield min(units, spec.pipeline_parallel or units)
        return
    while units > 1:
        yield units
        units = units * 3 // 4
    yield 1
