"""GPU-like machines: operator after operator over all tiles, weights and KV streamed from memory for every token."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field, PositiveInt

from archsim.config.checked import Checked
from archsim.mappers.access import AccessSettings, describe, resolve
from archsim.mappers.collectives import device_link
from archsim.mappers.fusion import readers_of
from archsim.mappers.microbatches import Group, cut, fullest, pipelined, read_anew
from archsim.mappers.parallel import parallel_degrees
from archsim.mappers.placement import place
from archsim.mappers.stragglers import Stragglers, Variation, refuse_groups, told_apart
from archsim.mappers.stream import Stream
from archsim.mappers.traffic import Traffic
from archsim.model.machine import Machine
from archsim.model.plan import Plan, PlanError
from archsim.model.stack import Stack
from archsim.model.taskgraph import TaskGraph
from archsim.model.trace import Attention, Trace

KIND = "temporal"


class Temporal(Checked):
    """The mapper's section of a hardware file."""

    kind: Literal["temporal"]
    tensor_parallel: PositiveInt | None = Field(
        default=None, description="devices that share every operator; all of them where left out"
    )
    expert_parallel: PositiveInt | None = Field(
        default=None, description="groups of devices that have experts and sequences of their own; 1 where left out"
    )
    pipeline_parallel: PositiveInt = Field(
        default=1, description="stages, each with the devices for a part of the layers; microbatches pass them in turn"
    )
    fusion: bool | None = Field(
        default=None, description="whether operators may join another's kernel; as the stack does where left out"
    )
    activations: str | None = Field(
        default=None, description="memory of intermediate results; the last before the tiles where left out"
    )
    access: AccessSettings = Field(
        default=AccessSettings(), description="how operands reach the tiles, and results leave them"
    )
    explicit: bool | None = Field(
        default=None, description="whether each device is simulated by itself; equal ones are folded where left out"
    )
    stragglers: Stragglers | None = Field(
        default=None, description="devices that are slower: at each collective the others wait for them"
    )
    variation: Variation = Field(
        default=0.0, description="coefficient of variation of a kernel's duration, drawn anew each time on each device"
    )


SPEC = Temporal


def plan(trace: Trace, machine: Machine, spec: Temporal, stack: Stack, batch: int) -> Plan:
    """Tasks of a trace on a machine, one after the other.

    Raises:
        PlanError: where the trace does not go onto the machine.
    """
    stages = spec.pipeline_parallel
    degrees = parallel_degrees(spec.tensor_parallel, spec.expert_parallel, stages, machine.devices, trace)
    _refuse_joining_prompts(trace, stages, degrees.expert)
    each = replace(machine, devices=degrees.devices)
    paths = resolve(spec.access, spec.activations, machine)
    if machine.devices > 1:
        device_link(machine)
    apart = told_apart(spec.explicit, spec.stragglers, spec.variation, machine)
    if apart:
        refuse_groups(trace, degrees, stages, machine.devices)
    traffic = Traffic(each, paths, spec.access, stack.residency, _passed_on(trace))
    fusion = stack.fusion if spec.fusion is None else spec.fusion
    mapping = Stream(each, stack, degrees, batch, traffic, fusion, readers_of(trace), apart=bool(apart))
    settings = {"activations": paths.activations, "fusion": "on" if fusion else "off"}
    found = _whole(trace, mapping) if stages == 1 else _staged(trace, mapping, stages)
    told = dict(describe(spec.access, paths)) | settings | dict(found.settings)
    return replace(found, settings=told, apart=apart)


def _refuse_joining_prompts(trace: Trace, stages: int, groups: int) -> None:
    """Raise PlanError where whole prompts join decode steps, and sequences are divided among devices."""
    if stages == groups == 1:
        return
    joining = (
        isinstance(operator.shape, Attention) and operator.shape.queries > 1
        for operator, phase, _ in trace.executions()
        if phase == "decode"
    )
    if any(joining):
        degree = "pipeline_parallel" if stages > 1 else "expert_parallel"
        message = "whole prompts join the decode steps, and are not divided over microbatches or expert groups"
        raise PlanError(
            message, ("hardware", "mapper", degree), "tensor_parallel alone, or a workload without `served`"
        )


def _whole(trace: Trace, mapping: Stream) -> Plan:
    """The plan of devices that share all layers, without its settings."""
    placements = place(trace, mapping.homes, mapping.degrees, mapping.batch, mapping.machine)
    return Plan(
        graph=TaskGraph(tuple(mapping.segments(trace))),
        placements=placements,
        declarations=mapping.declarations,
        parallel=mapping.parallel(trace),
        in_flight=mapping.batch,
        settings={},
    )


def _staged(trace: Trace, mapping: Stream, stages: int) -> Plan:
    """The plan of groups of devices that have some of the layers each, with what its settings have of it."""
    batch, one = mapping.batch, cut(trace, stages, mapping.batch)
    own = replace(mapping, batch=batch // one.microbatches, times=one.microbatches)
    graph = pipelined(one, Group(own.block, own.fabric, mapping.stack.vector.launch), own.host)
    return Plan(
        graph=graph,
        placements=fullest(
            place(stage, mapping.homes, mapping.degrees, batch, mapping.machine) for stage in one.stages()
        ),
        declarations=(*own.declarations, *read_anew(one, mapping.homes)),
        parallel={**mapping.parallel(trace), "pipeline_parallel": stages},
        in_flight=batch,
        settings={"microbatches": f"{one.microbatches} of {own.batch} sequences"},
        warnings=one.warnings,
    )


def _passed_on(trace: Trace) -> frozenset[str]:
    """Names of activations that one operator writes and another reads."""
    written = {tensor.name for operator in trace.operators for tensor in operator.writes}
    return frozenset(written & {tensor.name for operator in trace.operators for tensor in operator.reads})
