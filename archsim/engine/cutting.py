"""How a flow is cut into chunks: how many, for how many requesters, and what each takes of a port. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from archsim.engine.errors import Unrepresentable
from archsim.engine.servers import FINE
from archsim.model.taskgraph import TICKS, Course, Flow, Port, Stop, Strand

_COARSE: Final = 64 * 1024
"""Bytes of a chunk where the requester's grain is too fine to follow and its buffers are large."""

_FINEST: Final = 4 * 1024
"""Bytes of a grain below which it is too fine to follow."""

_INTERLEAVED: Final = 32
"""Instances of a memory that are told apart; of more, each chunk takes all alike: addresses spread it over them."""

_SLICES: Final = 64
"""Parts of work that nothing is fetched for, so that what meets it at a port is not held up by all of it."""

_TICK: Final = TICKS >> FINE


@dataclass(frozen=True, slots=True)
class Grain:
    """How finely to simulate: chunks of `chunk` bytes (None: as buffers allow), tiles folded into `folds` (None: not).

    Left to the buffers, a chunk is the requester's grain, or 64 KB of grains below 4 KB; at least two fit a window.
    Of `shared` ports some flows take an instance for each requester, and others not: these take one after the other,
    so that all of them meet there.
    """

    chunk: int | None = None
    folds: int | None = None
    shared: frozenset[Port] = frozenset()


@dataclass(frozen=True, slots=True)
class Cut:
    """`seats` requesters take `chunks` in all, with `depth` of them each under way at a time.

    `each` is the chunks of a seat if all get equally many, `grains` the parts in which one is computed as it arrives.
    Where a requester's bytes lie in an instance of its own, each has its own chunks (`bound`); otherwise the next idle
    one takes the next.
    """

    seats: int
    each: int
    depth: int
    grains: int
    bound: bool

    @property
    def chunks(self) -> int:
        """Chunks of all seats."""
        return self.seats * self.each


class Pick(Enum):
    """Which instance serves a piece: all alike as one, the requester's own, or each in turn."""

    ALIKE = 0
    OWN = 1
    TURN = 2


class Costs(NamedTuple):
    """What a piece takes of the busiest instance and of any other, and until it is there, in 2**-20 picoseconds."""

    busiest: int
    other: int
    span: int


def layout(flow: Flow) -> Course:
    """The course of a flow: work that nothing is fetched for runs side by side, and so do the loads of other flows."""
    course = flow.course
    if course is None:
        stops = (Stop(port, "", load, load, load, 0, 1, pooled=False) for port, load in flow.loads)
        return Course(tuple(Strand((stop,)) for stop in stops), (), 1, grain=0, drain=flow.drain, pace=flow.own)
    if any(not strand.posted for strand in course.strands):
        return course
    apart = tuple(Strand((stop,)) for stop in course.work if not stop.pooled)
    work = tuple(stop for stop in course.work if stop.pooled)
    return course._replace(strands=(*course.strands, *apart), work=work, grain=0)


def cut(flow: Flow, course: Course, grain: Grain) -> Cut:
    """How a flow is cut.

    Raises:
        Unrepresentable: where a chunk is larger than the buffer of a requester.
    """
    seats = course.ways if grain.folds is None else min(grain.folds, course.ways)
    lead = leading(course)
    if not lead and not course.pace and not any(stop.ticks for stop in course.work):
        return Cut(1, 1, 1, 1, bound=False)
    bound = any(_bound(stop, course, grain) for stop in course.stops)
    if not lead or not course.grain:  # nothing is fetched, or no machine laid it out
        return Cut(seats, -(-_SLICES // seats), 2, 1, bound)
    size, depth = _buffers(flow, course, grain, lead)
    each = max(1, -(-lead // (course.ways * size)))
    grains = -(-lead // (course.ways * each * course.grain))
    return Cut(seats, each, min(depth, each), grains, bound)


def _bound(stop: Stop, course: Course, grain: Grain) -> bool:
    """Whether requesters must have parts of their own: of memories of their own, or of lanes of unequal load."""
    if not stop.ticks or stop.pooled or pick(stop, course, grain) is not Pick.OWN:
        return False
    return stop.action != "move" or stop.critical * stop.instances > stop.units + stop.instances


def leading(course: Course) -> int:
    """Bytes of the largest tensor that is waited for and takes time on its way."""
    return max(
        (
            strand.stops[0].units
            for strand in course.strands
            if not strand.posted and any(stop.ticks for stop in strand.stops)
        ),
        default=0,
    )


def pieces(strand: Strand, course: Course, whole: Cut, grain: Grain) -> int:
    """Pieces of a tensor, about as large as the chunks; one for each chunk where requesters have ports of their own."""
    lead = leading(course)
    own = any(stop.ticks and pick(stop, course, grain) is Pick.OWN for stop in strand.stops)
    if own or not lead or strand.stops[0] in course.work:
        return whole.chunks
    return min(whole.chunks, max(1, -(-strand.stops[0].units * whole.chunks // lead)))


def _buffers(flow: Flow, course: Course, grain: Grain, lead: int) -> tuple[int, int]:
    """Bytes of a chunk, and how many a requester has outstanding."""
    window, size = course.window, grain.chunk or (course.grain if course.grain >= _FINEST else _COARSE)
    if window is None:
        latency = max(sum(stop.latency for stop in strand.stops) for strand in course.strands if not strand.posted)
        flying = lead * latency * TICKS // max(1, flow.own)
        return size, 2 + 2 * flying // (course.ways * size)
    if size > window and grain.chunk:
        raise Unrepresentable(
            f"a chunk of {size:,} B is larger than the buffer of a requester: it has {window:,} B outstanding",
            f"at most {window} bytes; half of that or less for a double buffer",
        )
    depth = -(-window // size) if grain.chunk else max(2, -(-window // size))
    return -(-window // depth), depth


def pick(stop: Stop, course: Course, grain: Grain) -> Pick:
    """Which instance serves a piece at a stop."""
    if stop.pooled or lines_up(stop, course):
        return Pick.OWN
    if stop.instances > 1 and stop.port in grain.shared:
        return Pick.TURN
    return Pick.ALIKE if stop.instances == 1 or stop.instances > _INTERLEAVED or grain.folds is not None else Pick.TURN


def lines_up(stop: Stop, course: Course) -> bool:
    """Whether each requester has an instance of a port to itself."""
    return stop.instances == course.ways and stop.instances > 1


def lines(stop: Stop, grain: Grain) -> int:
    """How many stand for the instances of a port."""
    return stop.instances if grain.folds is None else min(grain.folds, stop.instances)


def costs(stop: Stop, how: Pick, count: int, served: int, together: int = 1) -> Costs:
    """What one of `count` pieces takes, rounded up, where `served` lines serve them, alike or one after the other.

    `together` is the requesters that a seat stands for.

    The bytes of a piece come from all instances, whichever is charged; of pieces that are one for each of several
    requesters, the middle one is there after half of the time.
    """
    rest = stop.ticks
    if stop.instances > 1 and not stop.pooled and stop.critical:
        spare = max(0, stop.units - stop.critical)
        rest = min(stop.ticks, stop.ticks * spare // ((stop.instances - 1) * stop.critical))
    if how is Pick.OWN:
        return Costs(_fine(stop.ticks, count // served), _fine(rest, count // served), 0)
    span = _fine(stop.ticks, count)
    if how is Pick.ALIKE:
        return Costs(span, span, -(-span * (together + 1) // (2 * together)))
    return Costs(_fine(stop.ticks, -(-count // served)), _fine(rest, max(1, count // served)), span)


def _fine(ticks: int, parts: int) -> int:
    return -(-ticks // (parts * _TICK))
