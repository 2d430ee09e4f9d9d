"""Hard-wired machines: weights are part of the chip, so only activations and caches move, and nothing can be reloaded.

Each layer is a stage with arrays of its own. Idle layers keep leaking. A real chip holds one model; a hypothetical one
is taped out for the model that it is asked to run, over as many chips as that takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.config.units import Picoseconds, SquareMillimetres
from archsim.mappers import ground as grounds
from archsim.mappers.chips import ChipLayout
from archsim.mappers.collectives import refuse_stated
from archsim.mappers.die import Delays, DieLayout
from archsim.mappers.ground import Ground, Placed, Wish
from archsim.mappers.passes import Load, alike, loads, passes
from archsim.mappers.region import Homes, homes, part
from archsim.mappers.resident import Settled, planned
from archsim.model.dtype import Dtype
from archsim.model.machine import Machine
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.trace import Trace

KIND = "hardwired"


class Holds(Checked):
    """The model in a real chip, told by its number of parameters and the type of its weights."""

    model: str
    parameters: PositiveInt
    weights: Dtype


class Hardwired(Checked):
    """The mapper's section of a hardware file."""

    kind: Literal["hardwired"]
    holds: Literal["workload"] | Holds = Field(description="the model of a real chip; workload: taped out for each")
    tile: str = Field(description="component that adds up, and does all but the products with weights")
    weights: str = Field(description="component of kind `weight_rom`")
    kv: str = Field(description="memory of caches and state")
    activations: str = Field(description="memory of activations between operators")
    die: SquareMillimetres = Field(gt=0, description="largest die; arrays, memories and logic must fit on it")
    tensor_parallel: PositiveInt | None = Field(
        default=None, description="chips that share every layer; as few as hold the largest where left out"
    )
    level: Picoseconds = Field(default=0, description="one level of an adder tree")
    product: Picoseconds = Field(default=0, description="of a product beside rows and adders: broadcast, requantising")
    barrier: Picoseconds = Field(default=0, description="from a layer to the next on one die")
    sequences_in_flight: PositiveInt | None = Field(
        default=None, description="most sequences on the way at once; all of the batch where left out"
    )
    buffers: PositiveInt = Field(default=1, description="results that fit between two layers, on either side")


SPEC = Hardwired


def plan(trace: Trace, machine: Machine, spec: Hardwired, stack: Stack, batch: int) -> Plan:
    """A pipeline of layers in hard-wired logic.

    Raises:
        PlanError: where the chip holds another model, or the model takes more chips than there are.
    """
    refuse_stated(trace)
    _check_model(trace, spec)
    area = _check_area(machine, spec)
    places = homes(machine, spec.tile, spec.weights, spec.kv, spec.activations)
    courses = alike(passes(trace, batch))
    kept = loads(trace, courses[-1])
    ground, chip_of = _placed(machine, spec, stack, places, kept)
    settled = Settled(
        layout=_layout(machine, spec, ground, chip_of, kept),
        homes=places,
        placed=range(len(kept)),
        in_flight=min(batch, spec.sequences_in_flight or batch),
        buffers=spec.buffers,
    )
    found = planned(trace, courses, machine, stack, batch, settled)
    groups = chip_of[-1] + 1
    chips = groups * ground.devices_each
    return replace(
        found,
        parallel={"tensor_parallel": ground.devices_each, "pipeline_parallel": groups},
        settings={**_settings(trace, machine, spec, area, chips), **found.settings},
        warnings=(*found.warnings, *_warnings(trace, machine, spec, chips)),
    )


def _check_model(trace: Trace, spec: Hardwired) -> None:
    if spec.holds == "workload":
        return
    model, parameters, stored = spec.holds.model, spec.holds.parameters, spec.holds.weights
    if trace.parameters != parameters:
        message = f"the chip holds {model}, {parameters:,} parameters; this model has {trace.parameters:,}"
        raise PlanError(message, ("workload", "model"), "nothing can be reloaded: another chip would have to be made")
    asked = {t.dtype for op, _, _ in trace.executions() if op.multiplies for t in op.reads if t.role == "weights"}
    if asked - {stored}:
        message = f"the chip holds {model} in `{stored}`, not in " + ", ".join(f"`{name}`" for name in sorted(asked))
        raise PlanError(message, ("workload", "dtypes", "weights"), f"workload.dtypes.weights={stored}")


def _check_area(machine: Machine, spec: Hardwired) -> float:
    """The area of one chip in mm2; raise PlanError where it is larger than a die can be."""
    area = sum((item.area or 0.0) * item.count for item in machine.components.values())
    if area > spec.die:
        message = f"what stands on a chip takes {area:,.0f} mm2, and a die has {spec.die:,.0f}"
        raise PlanError(message, ("hardware", "mapper", "die"), "fewer arrays or banks on a chip, and more devices")
    return area


def _placed(machine: Machine, spec: Hardwired, stack: Stack, places: Homes, kept: Sequence[Load]) -> Placed:
    """The group of chips of each layer: groups as small as hold the largest layer.

    Raises:
        PlanError: where the model takes more chips.
    """

    def options(devices: int) -> Iterator[tuple[Ground, int]]:
        each = spec.tensor_parallel or 1
        while each <= devices:
            ground = grounds.chips(machine, places, stack, Wish(len(kept), each), devices)
            yield ground, ground.slots
            each = 2 * each if spec.tensor_parallel is None else devices + 1

    return grounds.first_fit(options, kept, places, machine.devices)


def _layout(
    machine: Machine, spec: Hardwired, ground: Ground, chip_of: Sequence[int], kept: Sequence[Load]
) -> DieLayout:
    """One layer: its share of the banks of its chips."""
    caching = [chip for chip, load in zip(chip_of, kept, strict=True) if load.get("kv") or load.get("state")]
    most = max((caching.count(chip) for chip in caching), default=1)
    banks = max(1, ground.machine.components[spec.kv].count // most)
    rom = machine.components[spec.weights]
    if not isinstance(ground.layout, ChipLayout) or not rom.capacity_bytes:
        raise PlanError(f"`{spec.weights}` holds no weights", ("hardware", "mapper", "weights"))
    delays = Delays(spec.level, spec.product, spec.barrier)
    layer = part(ground.machine, {spec.kv: banks}, devices=1)
    return DieLayout(layer, ground.layout, chip_of, spec.weights, rom.capacity_bytes, rom.grain_bytes, delays)


def _settings(trace: Trace, machine: Machine, spec: Hardwired, area: float, chips: int) -> Mapping[str, str]:
    rom = machine.components[spec.weights]
    held = sum(resident.bytes for resident in trace.residents if resident.role == "weights")
    per = (rom.area or 0.0) * 1e6 * held / ((rom.capacity_bytes or 1) * max(1, trace.parameters))
    return {
        "holds": "the workload's model" if spec.holds == "workload" else spec.holds.model,
        "chips": f"{chips} of {area:,.0f} mm2 (a die has {spec.die:,.0f})",
        "area of weights": f"{per:.3f} um2 a parameter, {per * trace.parameters / 1e6:,.0f} mm2 in all",
    }


def _warnings(trace: Trace, machine: Machine, spec: Hardwired, chips: int) -> Iterator[str]:
    if spec.holds == "workload":
        yield f"hypothetical: {chips} chips made for this model alone; no such chip exists"
    held = sum(resident.bytes for resident in trace.residents if resident.role == "weights")
    rom = machine.components[spec.weights]
    if any(name.startswith("mac_") for name in machine.actions[spec.weights]) and rom.static.high:
        yield f"`{spec.weights}` has a price of MACs that holds its leakage, and static power beside it: counted twice"
    room = (rom.capacity_bytes or 0) * rom.count * machine.devices
    if room and held < room / 2:
        yield f"the model fills {100 * held / room:.0f} % of the arrays; the others leak all the same"
