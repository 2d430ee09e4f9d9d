"""What the audit is told: bytes that homes serve beyond the unique ones of a trace, MACs issued beyond those asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil

from archsim.mappers.kernels import Kernel
from archsim.mappers.layout import Layout
from archsim.mappers.phases import phases
from archsim.mappers.sequences import of_one
from archsim.mappers.shares import Share
from archsim.model.plan import Declaration
from archsim.model.trace import Operator, Phase, Role, Trace


def declarations(trace: Trace, batch: int, layout: Layout, homes: Mapping[Role, str]) -> tuple[Declaration, ...]:
    """One declaration for each operator, phase and role of which more (or less) is read than the trace names.

    Each sequence reads the weights anew (in hard-wired logic each row of it), a stage keeps copies of what is small,
    and values of latent attention are read again after its keys.
    """
    extra: dict[tuple[str, Phase, Role], int] = {}
    memo: dict[int, Mapping[Role, int]] = {}
    for operator, phase, times in trace.executions():
        if id(operator) not in memo:
            memo[id(operator)] = _extra(operator, batch, layout)
        for role, size in memo[id(operator)].items():
            place = (operator.name, phase, role)
            extra[place] = extra.get(place, 0) + size * times
    reason = f"{batch} sequences read one after the other, each the weights anew; vectors are kept in copies"
    return tuple(
        Declaration(name, phase, role, homes[role], size, reason) for (name, phase, role), size in extra.items() if size
    )


def padding(own: Share, chosen: Iterable[Kernel], phase: Phase, tile: str) -> Iterator[Declaration]:
    """MACs of all devices on rows that only fill up a matrix instruction."""
    macs, work = own.part.macs, own.work
    extra = sum(ceil(kernel.billed(macs) * work) - ceil(kernel.portion(macs) * work) for kernel in chosen if macs)
    if extra:
        reason = "rows are padded to whole matrix instructions"
        yield Declaration(own.part.name, phase, "", tile, extra, reason, f"mac_{own.part.mac_dtype}")


def _extra(operator: Operator, batch: int, layout: Layout) -> Mapping[Role, int]:
    found: dict[Role, int] = {}
    for tensor in operator.reads:
        if tensor.role != "activations":
            found[tensor.role] = found.get(tensor.role, 0) - tensor.bytes
    for phase in phases(of_one(operator, batch)):
        readings = layout.spread(phase).times_read(product=phase.operator.multiplies)
        for tensor in phase.operator.reads:
            if tensor.role != "activations":
                times = batch * (readings if tensor.role == "weights" else 1)
                found[tensor.role] = found.get(tensor.role, 0) + times * tensor.bytes
    return found
