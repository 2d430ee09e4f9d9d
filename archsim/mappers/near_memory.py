"""Near-memory machines: products run at the memory that holds the matrix, what they can't do on a host part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.mappers.access import AccessSettings, describe, resolve
from archsim.mappers.collectives import device_link, refuse_stated
from archsim.mappers.fusion import groups
from archsim.mappers.near_cards import Row, in_row
from archsim.mappers.near_host import SCORES, Host
from archsim.mappers.near_mapping import NearMapping
from archsim.mappers.near_products import is_product
from archsim.mappers.near_units import Units, find_units
from archsim.mappers.parallel import Degrees, tensor_degree
from archsim.mappers.placement import place
from archsim.mappers.region import part
from archsim.mappers.traffic import Traffic
from archsim.model.machine import Machine
from archsim.model.plan import Declaration, Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import Segment, Task, TaskGraph
from archsim.model.trace import Role, Trace

KIND = "near_memory"

_STEP = ("step",)
"""Phases follow each other: each needs the whole result of the one before."""


class NearMemory(Checked):
    """The mapper's section of a hardware file."""

    kind: Literal["near_memory"]
    tensor_parallel: PositiveInt | None = Field(
        default=None, description="devices that share every operator; all of them where left out"
    )
    in_a_row: bool = Field(
        default=False, description="whether devices have layers of their own and sequences pass them one by one"
    )
    sequences_in_flight: PositiveInt | None = Field(
        default=None, description="most sequences on their way in a row; all of the batch where left out"
    )
    buffers: PositiveInt = Field(default=2, description="vectors that fit on either side of a link in a row")
    reuse: PositiveInt = Field(
        default=1, description="rows of activations that one read of a weight or key serves in a unit"
    )
    split: PositiveInt | Literal["fastest"] = Field(
        default="fastest",
        description="parts of a matrix along its reduction: units of a column of a mesh add theirs up on the way; "
        "fastest: where each link leads straight to its units",
    )
    host_rows: PositiveInt | Literal["fastest", "never"] = Field(
        default="fastest",
        description="rows from which products with weights go to the host part, where it multiplies; fastest: where "
        "that is faster",
    )
    fusion: bool | None = Field(
        default=None, description="whether operators of the host part may join; as the stack does where left out"
    )
    activations: str | None = Field(
        default=None, description="memory of intermediate results; the last before the tiles where left out"
    )
    access: AccessSettings = Field(
        default=AccessSettings(), description="how operands reach the host part, and results leave it"
    )


SPEC = NearMemory


def plan(trace: Trace, machine: Machine, spec: NearMemory, stack: Stack, batch: int) -> Plan:
    """Tasks of a trace on a machine, one after the other, or in stages on devices in a row.

    Raises:
        PlanError: where the trace does not go onto the machine.
    """
    refuse_stated(trace)
    paths = resolve(spec.access, spec.activations, machine)
    if machine.devices > 1:
        device_link(machine)
    one = part(machine, {}, devices=1) if spec.in_a_row else machine
    degree = tensor_degree(spec.tensor_parallel, one.devices, trace)
    split = None if spec.split == "fastest" else spec.split
    units = find_units(one, paths, stack.near_memory.phase, spec.reuse, split)
    host = Host(one, stack, Traffic(one, paths, spec.access, stack.residency, _activations(trace)))
    mapping = NearMapping(one, stack, degree, spec.host_rows, units, host)
    fusion = stack.fusion if spec.fusion is None else spec.fusion
    if spec.in_a_row:
        in_flight = min(batch, spec.sequences_in_flight or batch)
        planned = in_row(trace, machine, Row(mapping, batch, in_flight, spec.buffers, fusion))
    else:
        planned = _alone(trace, mapping, batch, fusion=fusion)
    named = dict(describe(spec.access, paths)) | {"reuse": str(spec.reuse), "split": str(spec.split)}
    return replace(
        planned, settings={**named, **planned.settings, **mapping.places()}, warnings=_strangers(trace, units)
    )


def _alone(trace: Trace, mapping: NearMapping, batch: int, *, fusion: bool) -> Plan:
    """One device, or several that share every operator."""
    machine, home = mapping.machine, mapping.units.paths.main
    if machine.devices > 1 and trace.experts:
        message = "a near-memory machine divides no experts over devices"
        help = "one device that holds the model: narrower weights, or more memory"
        raise PlanError(message, ("hardware", "devices"), help)
    homes: dict[Role, str] = {"weights": home, "kv": home, "state": home, "activations": home}
    return Plan(
        graph=TaskGraph(tuple(_segments(trace, mapping, batch, fusion=fusion))),
        placements=place(trace, homes, Degrees(mapping.degree), batch, machine),
        declarations=_declared(trace, mapping, fusion=fusion),
        parallel={"tensor_parallel": mapping.degree},
        in_flight=batch,
        settings={},
    )


def _segments(trace: Trace, mapping: NearMapping, batch: int, *, fusion: bool) -> Iterator[Segment]:
    """A segment per block; the host's part of a step stands before its first block."""
    step = mapping.stack.step.base + mapping.stack.step.per_sequence * batch
    opening = True
    for block in trace.blocks:
        if step and opening:
            yield Segment((Task("host", block.phase, (), step, _STEP, _STEP),))
        made = [mapping.made(group, block.phase) for group in groups(block.operators, fusion=fusion)]
        tasks = tuple(replace(task, after=_STEP, makes=_STEP) for item in made for task in item.tasks)
        yield Segment(tasks, block.times, block.closes)
        opening = bool(block.closes)


def _declared(trace: Trace, mapping: NearMapping, *, fusion: bool) -> tuple[Declaration, ...]:
    """What homes serve beyond the unique bytes, over all executions."""
    found: dict[tuple[str, str, str, str], Declaration] = {}
    for block in trace.blocks:
        for group in groups(block.operators, fusion=fusion):
            for item in mapping.made(group, block.phase).declared:
                key = (item.operator, item.phase, item.tensor, item.action)
                before = found[key].extra if key in found else 0
                found[key] = replace(item, extra=item.extra * block.times + before)
    return tuple(found.values())


def _strangers(trace: Trace, units: Units) -> tuple[str, ...]:
    """A warning where products leave the memories because the units there lack their data type."""
    lacking = {op.mac_dtype for op, _, _ in trace.executions() if is_product(op) and not units.computes(op)}
    return tuple(
        f"`{units.name}` does not compute in `{dtype}`: products run on `{units.paths.tile}`"
        for dtype in sorted(lacking)
    )


def _activations(trace: Trace) -> frozenset[str]:
    """Names of all activations: they pass between the parts through the buffer, where they fit."""
    return frozenset([SCORES]) | frozenset(
        tensor.name
        for operator, _, _ in trace.executions()
        for tensor in (*operator.reads, *operator.writes)
        if tensor.role == "activations"
    )
