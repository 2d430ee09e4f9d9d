"""All that a report may see of one simulation, and the figures that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from archsim.model.capping import Slowed
from archsim.model.component import ACTIVE_ACTION
from archsim.model.hardware import Header
from archsim.model.ledger import STATIC_ACTION, Row
from archsim.model.limits import OperatorTime, operator_times
from archsim.model.machine import Machine
from archsim.model.plan import Plan
from archsim.model.pricing import LOW_ACTIVITY, Joules, Priced, grouped, joules, joules_at
from archsim.model.run import Run
from archsim.model.taskgraph import PS_PER_SECOND, TICKS
from archsim.model.uncertainty import Constants, Step, constants
from archsim.model.validity import Validities, validities
from archsim.model.workload import Workload

TENSOR_CLASSES = {"inputs": "activations", "outputs": "activations"}
TIMED_ACTIONS = (STATIC_ACTION, ACTIVE_ACTION)
KINDS = ("compute", "sram", "dram", "link", "static", "other")


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds; None where the run has no such interval."""

    ttft_s: float | None
    tpot_s: float | None
    tpot_p50_s: float | None
    tpot_p99_s: float | None
    total_s: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a result was made from: (path, sha256) of every file read, and the command."""

    inputs: tuple[tuple[str, str], ...]
    command: str


@dataclass(frozen=True)
class Result:
    """Workload, machine, plan, run and priced ledger of one simulation.

    `edited` says that settings of the machine differ from its file; `slowed` names operators that a limit of power had
    run below their clock. Prices hold the steps `around` the machine, from its own boundary to that of the joules.
    """

    workload: Workload
    hardware: Header
    machine: Machine
    plan: Plan
    run: Run
    entries: tuple[Priced, ...]
    warnings: tuple[str, ...]
    provenance: Provenance
    wall_s: float
    edited: bool = False
    slowed: tuple[Slowed, ...] = ()
    around: tuple[Step, ...] = ()

    @property
    def tokens(self) -> int:
        """Output tokens of all sequences."""
        return self.workload.batch * self.workload.output_tokens

    @cached_property
    def latency(self) -> Latency:
        """Times of tokens: the first from the start, the others from one to the next."""
        prompt = next((mark.at for mark in self.run.marks if mark.what == "prompt"), None)
        ends = [mark.at for mark in self.run.marks if mark.what == "token"]
        gaps = sorted(after - before for before, after in pairwise([prompt or 0, *ends]))
        seconds = [gap / PS_PER_SECOND for gap in gaps]
        return Latency(
            ttft_s=None if prompt is None else prompt / PS_PER_SECOND,
            tpot_s=sum(gaps) / len(gaps) / PS_PER_SECOND if gaps else None,
            tpot_p50_s=_percentile(seconds, 50),
            tpot_p99_s=_percentile(seconds, 99),
            total_s=self.run.picoseconds / PS_PER_SECOND,
        )

    @cached_property
    def energy(self) -> Joules:
        """Joules of the whole run."""
        return joules(self.entries)

    @cached_property
    def constants(self) -> Constants:
        """What the joules of an output token stand on."""
        return constants(self.entries, self.tokens, self.around)

    @cached_property
    def validity(self) -> Validities:
        """Whether its time and energy lie where the machine was held against measurements."""
        scaled = any(component.scale_to is not None for component in self.machine.components.values())
        return validities(self.hardware, self.workload.family, edited=self.edited, scaled=scaled)

    @cached_property
    def operators(self) -> tuple[OperatorTime, ...]:
        """Where the time went."""
        return operator_times(self.plan.graph, self.run, self.machine)

    @property
    def at_low_activity(self) -> float:
        """Joules per output token if bits of the data changed half as often as random ones."""
        return joules_at(self.entries, self.workload.activity, LOW_ACTIVITY) / self.tokens

    @property
    def average_w(self) -> float:
        """Power of all devices over the run; 0 where it takes no time."""
        return self.energy.value / self.latency.total_s if self.latency.total_s else 0.0

    def phase_j(self, phase: str) -> float:
        """Joules of one phase over the whole run."""
        return grouped(self.entries, lambda entry: entry.row.phase).get(phase, 0.0)

    def by(self, column: str) -> dict[str, float]:
        """Joules per output token, grouped by a column of the ledger: component, action, operator, phase, or tensor."""
        key = self.tensor_class if column == "tensor" else lambda row: str(getattr(row, column))
        return {name: value / self.tokens for name, value in grouped(self.entries, lambda at: key(at.row)).items()}

    def by_kind(self) -> dict[str, float]:
        """Joules per output token by kind of hardware; static power is a kind of its own."""
        sums = grouped(self.entries, lambda entry: self._kind(entry.row))
        return {kind: sums.get(kind, 0.0) / self.tokens for kind in KINDS}

    def _kind(self, row: Row) -> str:
        return "static" if row.action == STATIC_ACTION else self.machine.components[row.component].energy_kind

    @staticmethod
    def tensor_class(row: Row) -> str:
        """Weights, kv, state, activations; arithmetic, tiles at work and static power belong to no tensor."""
        if row.action in TIMED_ACTIONS:
            return row.action
        return TENSOR_CLASSES.get(row.tensor, row.tensor) or "arithmetic"

    @cached_property
    def utilization(self) -> Mapping[str, float]:
        """Share of the run that each component's busiest port was in use, averaged over the edges of a topology."""
        shares: dict[str, dict[str, float]] = {}
        for port, ticks in self.run.busy.items():
            group = self.machine.group_of(port.component)
            ports = shares.setdefault(group, {})
            ports[port.name] = ports.get(port.name, 0.0) + ticks / (TICKS * max(1, self.run.picoseconds))
        edges = self.machine.wiring.edges
        used = {group: max(ports.values()) / edges.get(group, 1) for group, ports in shares.items()}
        return {name: used.get(name, 0.0) for name in self.machine.components}

    @cached_property
    def traffic(self) -> Mapping[str, float]:
        """Bytes per output token that each component read, wrote or carried."""
        sums: dict[str, int] = {}
        for entry in self.entries:
            if entry.row.unit == "B":
                sums[entry.row.component] = sums.get(entry.row.component, 0) + entry.row.count
        return {name: count / self.tokens for name, count in sums.items()}

    @cached_property
    def capacity(self) -> Mapping[str, tuple[int, int | None]]:
        """Bytes used and bytes there (None: no limit) in each memory, over all devices."""
        used: dict[str, int] = {}
        for placed in self.plan.placements:
            used[placed.component] = used.get(placed.component, 0) + placed.bytes * self.machine.devices
        totals = {
            name: item.capacity_bytes for name, item in self.machine.components.items() if item.capacity_bytes != 0
        }
        return {
            name: (used.get(name, 0), total and total * self.machine.instances(name)) for name, total in totals.items()
        }


def _percentile(ordered: list[float], percent: int) -> float | None:
    """Nearest-rank percentile of sorted values."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None
