"""From the phases of one sequence in a stage to tasks, and what the homes of tensors serve for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from archsim.mappers.layout import Layout, Spread
from archsim.mappers.passes import Unit
from archsim.mappers.phases import PhaseOfWork, phases
from archsim.mappers.region import Homes, mac_action, widened
from archsim.model.machine import Machine
from archsim.model.request import Move, Requester, Work
from archsim.model.stack import Stack
from archsim.model.taskgraph import Flow, Task
from archsim.model.trace import Attention, Operator


@dataclass(frozen=True, slots=True)
class Piece:
    """What advances together on a stage: moves and work of one phase, or of several that are one kernel."""

    name: str
    machine: Machine
    moves: tuple[Move, ...]
    work: tuple[Work, ...]
    launch: int
    ways: int


@dataclass(frozen=True)
class StageWork:
    """Makes the tasks of operators on one kind of stage; an operator's tasks are made once.

    `reduction` is the MACs that are added up before a result touches memory (None: all). `fused` joins all phases
    until one whose results must meet.
    """

    layout: Layout
    homes: Homes
    stack: Stack
    reduction: int | None = None
    fused: bool = False
    _made: dict[tuple[int, ...], tuple[tuple[Task, ...], tuple[Operator, ...]]] = field(default_factory=dict)

    def tasks(self, unit: Unit) -> Iterator[Task]:
        """The tasks of a unit in program order."""
        for group in [unit.operators] if self.fused else [(operator,) for operator in unit.operators]:
            key = tuple(map(id, group))
            if key not in self._made:  # the operators are kept beside their tasks: their ids stay theirs
                made = tuple(replace(task, phase=unit.phase) for task in self._tasks(group))
                self._made[key] = (made, group)
            yield from self._made[key][0]

    def _tasks(self, operators: Sequence[Operator]) -> Iterator[Task]:
        pieces: list[Piece] = []
        for operator in operators:
            for index, phase in enumerate(phases(operator)):
                pieces.append(self._piece(phase, first=index == 0))
                meets = tuple(self.layout.reductions(phase, operator.name))
                if meets or not self.fused:
                    yield self._task(pieces)
                    yield from meets
                    pieces = []
        if pieces:
            yield self._task(pieces)

    def _piece(self, phase: PhaseOfWork, *, first: bool) -> Piece:
        operator, spread = phase.operator, self.layout.spread(phase)
        touches = 1 if self.reduction is None else -(-spread.depth // self.reduction)
        readings = spread.times_read(product=operator.multiplies)
        moves = self.homes.moves(operator, spread.copies, readings, touches)
        launch = spread.launch + (self._launch(operator) if first else 0)
        return Piece(
            operator.name, spread.machine, tuple(moves), tuple(self._work(operator, spread)), launch, spread.ways
        )

    def _work(self, operator: Operator, spread: Spread) -> Iterator[Work]:
        tile = self.homes.tile
        if operator.macs:
            where, ways = multiplier(operator, self.homes, spread)
            action = mac_action(spread.machine, where, operator)
            yield Work(where, action, operator.macs * spread.replicas, spread.critical, ways)
        copies = 1 if operator.macs else spread.copies
        operations = (operator.vector_ops + widened(operator, self.stack.dequantise)) * copies
        if operations:
            yield Work(tile, "vector", operations, -(-operations // spread.ways), spread.ways)

    def _launch(self, operator: Operator) -> int:
        """Software around an operator; what only looks up or appends has none."""
        if isinstance(operator.shape, Attention):
            return self.stack.decode_attention.launch
        if operator.multiplies:
            return self.stack.gemm.launch
        return self.stack.vector.launch if operator.vector_ops else 0

    def _task(self, pieces: Sequence[Piece]) -> Task:
        names = dict.fromkeys(piece.name for piece in pieces)
        first, last = next(iter(names)), next(reversed(names))
        launch = max(piece.launch for piece in pieces)
        return Task(first if first == last else f"{first}..{last}", "", (self._flow(pieces),), launch)

    def _flow(self, pieces: Sequence[Piece]) -> Flow:
        machine = pieces[0].machine
        tile = machine.components[self.homes.tile]
        ways = max(piece.ways for piece in pieces)
        requester = Requester(ways, tile.window_bytes, tile.grain_bytes)
        moves = _joined_moves(move for piece in pieces for move in piece.moves)
        return machine.flow(moves, _joined_work(work for piece in pieces for work in piece.work), requester)


def multiplier(operator: Operator, homes: Homes, spread: Spread) -> tuple[str, int]:
    """What does the MACs, and how many of it: the tiles, or a home of weights that multiplies by itself."""
    home = homes.weights[0]
    held = any(tensor.role == "weights" for tensor in operator.reads)
    if held and any(name.startswith("mac_") for name in spread.machine.actions[home]):
        return home, spread.machine.components[home].count
    return homes.tile, spread.ways


def _joined_moves(moves: Iterable[Move]) -> list[Move]:
    """Moves of one tensor over the same step as one."""
    sums: dict[tuple[str, str, str, bool], int] = {}
    for move in moves:
        step = (move.tensor, move.source, move.target, move.posted)
        sums[step] = sums.get(step, 0) + move.bytes
    return [Move(tensor, source, target, size, posted=late) for (tensor, source, target, late), size in sums.items()]


def _joined_work(works: Iterable[Work]) -> list[Work]:
    """Work of one action as one: one piece after the other on the busiest instance."""
    sums: dict[tuple[str, str], Work] = {}
    for work in works:
        place = (work.component, work.action)
        other = sums.get(place)
        sums[place] = (
            work
            if other is None
            else replace(
                work,
                amount=other.amount + work.amount,
                critical=other.critical + work.critical,
                ways=max(other.ways, work.ways),
            )
        )
    return list(sums.values())
