"""The plan of a machine whose weights stay where they are used, once it is settled which layer stands where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archsim.mappers.course import Course
from archsim.mappers.declared import declarations
from archsim.mappers.layout import Layout
from archsim.mappers.passes import Pass, placements
from archsim.mappers.pipeline import pipeline
from archsim.mappers.region import Homes
from archsim.mappers.work import StageWork
from archsim.model.machine import Machine
from archsim.model.plan import Plan
from archsim.model.stack import Stack
from archsim.model.trace import Trace


@dataclass(frozen=True)
class Settled:
    """Unit i of each pass stands in stage `placed[i]` of `layout`; what rests there rests in `homes`.

    `in_flight` and `buffers` bound the pipeline; `reduction` and `fused` are those of `StageWork`.
    """

    layout: Layout
    homes: Homes
    placed: Sequence[int]
    in_flight: int
    buffers: int
    reduction: int | None = None
    fused: bool = False


def planned(
    trace: Trace, courses: Sequence[Pass], machine: Machine, stack: Stack, batch: int, settled: Settled
) -> Plan:
    """The plan, without what a mapper says of itself: degrees, settings and warnings of its own."""
    roles = settled.homes.by_role
    work = StageWork(settled.layout, settled.homes, stack, settled.reduction, settled.fused)
    host = stack.step.base + stack.step.per_sequence
    course = Course(work, settled.placed, host, shared=batch > 1)
    in_flight = min(batch, settled.in_flight)
    return Plan(
        graph=pipeline([course.passage(one) for one in courses], batch, in_flight, settled.buffers),
        placements=placements(trace, roles, machine.devices),
        declarations=declarations(trace, batch, settled.layout, roles),
        parallel={},
        in_flight=in_flight,
        settings=_settings(settled),
        warnings=tuple(_warnings(stack, settled, courses)),
    )


def _settings(settled: Settled) -> Mapping[str, str]:
    return {
        "weights": " > ".join(settled.homes.weights),
        "kv": " > ".join(settled.homes.cache),
        "activations": settled.homes.activations,
        "buffers": f"{settled.buffers} results on either side of a crossing",
        "reduction": f"{settled.reduction or 'all'} MACs before a sum touches memory",
        "fused": "on" if settled.fused else "off",
    }


def _warnings(stack: Stack, settled: Settled, courses: Sequence[Pass]) -> Iterator[str]:
    if not stack.step.base and not stack.step.per_sequence and any(one.closes for one in courses):
        yield f"the stack `{stack.name}` adds no time of a host between tokens: its loop and its sampling are free"
    if settled.placed[-1] > 0 and any(unit.phase == "prefill" for one in courses for unit in one.units):
        yield "a prompt passes the stages as one: no two work on it at once, so its time is an upper bound"
