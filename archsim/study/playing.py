"""From checked values to a run: trace, map, simulate; once for all questions that differ in prices alone."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from archsim.config.diagnostics import Diagnostic, InputError, of_option
from archsim.config.document import Document, node_at, position_at
from archsim.config.tree import MappingNode
from archsim.engine.errors import EventLimit, Unrepresentable
from archsim.engine.simulate import simulate
from archsim.mappers.apart import apart
from archsim.model.capping import Capped, capped, unlimited
from archsim.model.machine import Machine
from archsim.model.plan import Plan, PlanError
from archsim.model.run import Run
from archsim.model.stack import Stack
from archsim.model.tariff import Tariff
from archsim.model.taskgraph import TaskGraph
from archsim.model.trace import Trace
from archsim.model.workload import Workload
from archsim.study.bounds import check_length
from archsim.study.checking import Hardware, Job
from archsim.study.timing import timing

_REMEMBERED = 8
"""Runs kept in mind, those not asked for the longest forgotten first."""

_SMALL = 64
"""Output tokens up to which a run is kept: of a large mixture of experts, each takes a megabyte."""


class How(NamedTuple):
    """At which fidelity a run is made, with chunks of how many bytes, what it tells, and where it stops."""

    fidelity: str = "flow"
    chunk: int | None = None
    timeline: bool = False
    max_events: int | None = None


class Played(NamedTuple):
    """What was asked of the machine, how it does it, at which prices and limit of power, and what happened."""

    trace: Trace
    plan: Plan
    prices: Tariff
    limited: Capped
    run: Run


@dataclass(frozen=True, slots=True)
class Question:
    """A workload on a machine, at some prices."""

    job: Job
    target: Hardware
    machine: Machine
    prices: Tariff
    how: How

    def played(self) -> Played:
        """The answer; one that another question had, where they differ in prices only.

        Raises:
            InputError: where the mapper refuses, or the run is too long or can't be cut as it was asked to.
        """
        check_length(self.job, self._corridor, lambda asked: self.planned(asked)[1].repeats, self.how.max_events)
        known = _Key(self, self._content()) if self.job.workload.output_tokens <= _SMALL else None
        trace, plan = _mapped(known) if known else self.planned(self.job.workload)
        steps = frozenset({"decode"} if self.job.workload.mix else ())
        prices = self.prices.joined(trace)
        limited = held_to_limit(plan, self.target, self.machine, prices, lasting=steps)
        if known and limited.graph is plan.graph:
            return Played(trace, replace(plan, graph=_placed(known)), prices, limited, _simulated(known))
        graph = self.placed(replace(plan, graph=limited.graph))
        return Played(trace, replace(plan, graph=graph), prices, limited, self.run(graph, repeats=plan.repeats))

    def _corridor(self, asked: Workload) -> Run:
        plan = self.planned(asked)[1]
        return self.run(self.placed(plan), repeats=plan.repeats)

    def planned(self, asked: Workload) -> tuple[Trace, Plan]:
        """A workload as operators, and as tasks."""
        trace, target = self.job.family.trace(asked), self.target
        try:
            plan: Plan = target.mapper.plan(trace, self.machine, target.settings, self._stack, asked.batch)
        except PlanError as error:
            raise InputError([self._placed(error)]) from error
        return trace, plan

    def placed(self, plan: Plan) -> TaskGraph:
        """The tasks of a plan, those of each device by itself where they are to be told apart."""
        return apart(plan.graph, plan.apart, self.job.workload.seed) if plan.apart else plan.graph

    @property
    def _stack(self) -> Stack:
        workload, stack = self.job.workload, self.target.stack
        stack = stack.as_served if workload.service else stack
        return stack.in_mix if workload.mix else stack

    def _content(self) -> Hashable:
        job, target = self.job, self.target
        families = job.family.__name__, target.mapper.__name__
        parts = job.workload, target.settings, self._stack, self.machine.components
        return families, self.machine.name, self.machine.devices, timing(parts), self.how

    def _placed(self, error: PlanError) -> Diagnostic:
        """A mapper's refusal, at the value that would have to change."""
        prefix, *path = error.where
        document: Document = self.job.document if prefix == "workload" else self.target.document
        holds_more = isinstance(node_at(document, tuple(path)), MappingNode)  # its key says more than it opens with
        return Diagnostic(error.message, position_at(document, tuple(path), key=holds_more), error.help)

    def run(self, graph: TaskGraph, *, repeats: bool) -> Run:
        """Tasks as they happen; where nothing `repeats`, none is looked for."""
        how = self.how
        try:
            return simulate(
                graph,
                fidelity=how.fidelity,
                repeats=repeats,
                chunk=how.chunk,
                timeline=how.timeline,
                max_events=how.max_events,
            )
        except Unrepresentable as error:
            option = ("--fidelity", how.fidelity) if how.chunk is None else ("--chunk-bytes", str(how.chunk))
            raise InputError([Diagnostic(str(error), of_option(*option), error.help)]) from error
        except EventLimit as limit:
            given = of_option("--max-events", "" if how.max_events is None else str(how.max_events))
            help = "--max-events N lets a simulation go on to N"
            raise InputError([Diagnostic(str(limit), given, help)]) from limit


def held_to_limit(
    plan: Plan, target: Hardware, machine: Machine, prices: Tariff, lasting: frozenset[str] = frozenset()
) -> Capped:
    """The kernels of a plan under the machine's limit of power, if it has one; `lasting` phases outlive the run."""
    cap = target.header.power_cap
    if cap is None:
        return unlimited(plan.graph)
    return capped(plan.graph, machine, cap, prices, plan.parallel.get("pipeline_parallel", 1), lasting)


class _Key:
    """A question that equals others by its content."""

    def __init__(self, question: Question, content: Hashable) -> None:
        self.question = question
        self._content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)


@lru_cache(maxsize=_REMEMBERED)
def _mapped(key: _Key) -> tuple[Trace, Plan]:
    return key.question.planned(key.question.job.workload)


@lru_cache(maxsize=_REMEMBERED)
def _placed(key: _Key) -> TaskGraph:
    return key.question.placed(_mapped(key)[1])


@lru_cache(maxsize=_REMEMBERED)
def _simulated(key: _Key) -> Run:
    return key.question.run(_placed(key), repeats=_mapped(key)[1].repeats)


def forget() -> None:
    """Forget what was mapped and simulated."""
    _mapped.cache_clear()
    _placed.cache_clear()
    _simulated.cache_clear()
