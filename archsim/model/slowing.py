"""Tasks that take longer than planned: parts that serve more slowly, or all of a kernel by a factor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from archsim.model.component import ACTIVE_ACTION
from archsim.model.services import by_port
from archsim.model.taskgraph import Course, Flow, Port, Stop, Task

Ticks = Callable[[Port, int], int]
"""What becomes of the ticks that a port takes."""


def slower(task: Task, ticks: Ticks) -> Task:
    """The task with ports that take other times, never less; what does not wait for them stays as it is."""
    return replace(task, flows=tuple(_slower(flow, ticks) for flow in task.flows))


def lasting(task: Task, factor: Fraction) -> Task:
    """The task with all of its times multiplied, launch and latencies included; rounded up."""
    if factor == 1:
        return task

    def times(count: int) -> int:
        return -(-count * factor.numerator // factor.denominator)

    return replace(task, flows=tuple(_lasting(flow, times) for flow in task.flows), launch=times(task.launch))


def at_work(task: Task, slow: Task) -> Task:
    """The slow version of a task, with the time that its tiles are at work as long as it takes."""
    before, after = task.alone, slow.alone
    return slow if before == after else replace(slow, flows=tuple(_at_work(flow, before, after) for flow in slow.flows))


def _slower(flow: Flow, ticks: Ticks) -> Flow:
    needs = tuple(need._replace(ticks=ticks(need.port, need.ticks)) for need in flow.needs)
    own = max(flow.own, *by_port(needs).values()) if needs else flow.own

    def stop(at: Stop) -> Stop:
        return at._replace(ticks=ticks(at.port, at.ticks))

    return replace(
        flow,
        own=own,
        drain=flow.drain * own // flow.own if flow.own else flow.drain,  # what the slowest leg leaves unhidden
        loads=tuple((port, ticks(port, load)) for port, load in flow.loads),
        needs=needs,
        course=flow.course and _stopping(flow.course, stop),
    )


def _lasting(flow: Flow, times: Callable[[int], int]) -> Flow:
    def stop(at: Stop) -> Stop:
        return at._replace(ticks=times(at.ticks), latency=times(at.latency))

    course = flow.course and _stopping(flow.course, stop)
    return replace(
        flow,
        own=times(flow.own),
        fill=times(flow.fill),
        drain=times(flow.drain),
        loads=tuple((port, times(load)) for port, load in flow.loads),
        stall=times(flow.stall),
        needs=tuple(need._replace(ticks=times(need.ticks)) for need in flow.needs),
        course=course and course._replace(drain=times(course.drain), pace=times(course.pace)),
    )


def _stopping(course: Course, stop: Callable[[Stop], Stop]) -> Course:
    strands = tuple(strand._replace(stops=tuple(map(stop, strand.stops))) for strand in course.strands)
    return course._replace(strands=strands, work=tuple(map(stop, course.work)))


def _at_work(flow: Flow, before: int, after: int) -> Flow:
    legs = tuple(
        leg._replace(bill=leg.bill * after // before, critical=after) if leg.action == ACTIVE_ACTION else leg
        for leg in flow.legs
    )
    return replace(flow, legs=legs)
