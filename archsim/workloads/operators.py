"""An explicit list of operators, as YAML entries or as rows of a CSV file.

An entry reads what the entries named in `inputs` put out, or else data from outside. Sizes are those of one sequence,
and the batch multiplies them; weights are shared by all sequences. The list is executed `times` over, each time with
data of its own; then a token is complete, and the next one waits for it. What an entry waits for and does not read is
a tensor of no bytes. Entries for whole kernels (attention, experts, a scan, a convolution, a collective) become the
operators that the other families have for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import gcd
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError, did_you_mean, listed
from archsim.model.dtype import BITS, packed_bytes
from archsim.model.trace import Block, Experts, Gemm, Operator, Resident, Role, Tensor, Trace
from archsim.model.workload import Format, Workload
from archsim.workloads.kernel_entries import AttentionEntry, ExpertsEntry
from archsim.workloads.kernel_operators import Lot, whole_kernel
from archsim.workloads.operator_entries import Entry, GemmEntry, Reading, StreamEntry, VectorEntry

KIND = "operators"

HELD: tuple[Role, ...] = ("weights", "kv", "state")


class OperatorsWorkload(Workload):
    """A list of operators, executed for each output token."""

    mix: ClassVar[bool] = False

    family: Literal["operators"]
    operators: tuple[Entry, ...] = Field(
        description="entries in program order, or the path of a CSV file with a row for each",
        json_schema_extra={"minItems": 1},
    )
    times: PositiveInt = Field(default=1, description="executions of the list for one token, as of equal layers")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if not self.prompt_cached:
            raise UnplacedError("a list of operators has no prompt to simulate", at=("prompt_cached",))
        if not self.operators:
            raise UnplacedError("the list has no operators", at=("operators",))
        earlier: dict[str, int] = {}
        for index, entry in enumerate(self.operators):
            if entry.name in earlier:
                raise UnplacedError(f"two operators are called `{entry.name}`", at=("operators", index, "name"))
            _check_inputs(entry, earlier, ("operators", index))
            earlier[entry.name] = entry.puts_out
        return self


SPEC = OperatorsWorkload


def trace(spec: OperatorsWorkload) -> Trace:
    """One block for each output token, and all weights, KV and state that the list moves."""
    sizes = {entry.name: entry.puts_out for entry in spec.operators}
    made = [_operators(spec, entry, sizes) for entry in spec.operators]
    if spec.times * spec.output_tokens > 1:
        made = _in_turn(spec, made)
    operators = tuple(operator for group in made for operator in group)
    moved = {tensor.name: tensor for operator in operators for tensor in (*operator.writes, *operator.reads)}
    unread = {role: sum(_left_out(operator, role) for operator in operators) for role in HELD}
    held = {role: unread[role] + sum(item.bytes for item in moved.values() if item.role == role) for role in HELD}
    attention = [entry for entry in spec.operators if isinstance(entry, AttentionEntry)]
    return Trace(
        (Block(operators, "decode", spec.times, closes="token"),) * spec.output_tokens,
        residents=tuple(Resident(role, spec.times * size) for role, size in held.items() if size),
        parameters=spec.times * sum(tensor.elements for tensor in moved.values() if tensor.role == "weights"),
        heads=gcd(*(entry.heads for entry in attention)),
        kv_heads=gcd(*(entry.kv_heads for entry in attention)),
        experts=gcd(*(entry.experts for entry in spec.operators if isinstance(entry, ExpertsEntry))),
    )


def _left_out(operator: Operator, role: Role) -> int:
    """Bytes of experts that no row went to, which are held all the same."""
    if not isinstance(operator.shape, Experts) or role != "weights":
        return 0
    active = sum(load > 0 for load in operator.shape.loads)
    read = sum(tensor.bytes for tensor in operator.reads if tensor.role == role)
    return read * (len(operator.shape.loads) - active) // active


def _check_inputs(entry: Entry, earlier: Mapping[str, int], at: tuple[str | int, ...]) -> None:
    inputs = entry.inputs if isinstance(entry, Reading | VectorEntry) else ()
    for field, names in (("inputs", inputs), ("after", entry.after)):
        if unknown := next((name for name in names if name not in earlier), None):
            message = f"`{unknown}` is no earlier operator; earlier: {listed(earlier) or 'none'}"
            raise UnplacedError(message, help=did_you_mean(unknown, earlier), at=(*at, field))
    if isinstance(entry, Reading) and inputs:
        given, taken = sum(earlier[name] for name in inputs), entry.takes
        if given != taken:
            message = f"`{entry.name}` takes {taken} values of each sequence, and its inputs put out {given}"
            raise UnplacedError(message, at=(*at, "inputs"))


def _operators(spec: OperatorsWorkload, entry: Entry, sizes: Mapping[str, int]) -> tuple[Operator, ...]:
    first, *others = _made(spec, entry, sizes)
    return (_waiting(spec, first, entry.after), *others)


def _made(spec: OperatorsWorkload, entry: Entry, sizes: Mapping[str, int]) -> tuple[Operator, ...]:
    if isinstance(entry, GemmEntry):
        return (_gemm(spec, entry, sizes),)
    if isinstance(entry, VectorEntry):
        return (_vector(spec, entry, sizes),)
    if isinstance(entry, StreamEntry):
        return (_stream(spec, entry),)
    inputs = _inputs(spec, entry, sizes, entry.takes) if isinstance(entry, Reading) else ()
    return whole_kernel(Lot(spec.batch, spec.dtypes, spec.seed), entry, inputs)


def _gemm(spec: OperatorsWorkload, entry: GemmEntry, sizes: Mapping[str, int]) -> Operator:
    shape, stored = Gemm(entry.m * spec.batch, entry.n, entry.k), spec.dtypes.weights
    weights = Tensor(f"{entry.name}.weight", "weights", shape.n * shape.k, stored.dtype, stored.bytes(shape.n, shape.k))
    return Operator(
        entry.name,
        reads=(*_inputs(spec, entry, sizes, entry.takes), weights),
        writes=(_values(spec, f"{entry.name}.out", entry.puts_out),),
        macs=shape.m * shape.n * shape.k,
        mac_dtype=spec.dtypes.activations,
        shape=shape,
        shards=entry.shards,
    )


def _vector(spec: OperatorsWorkload, entry: VectorEntry, sizes: Mapping[str, int]) -> Operator:
    return Operator(
        entry.name,
        reads=_inputs(spec, entry, sizes, entry.elements),
        writes=(_values(spec, f"{entry.name}.out", entry.elements),),
        mac_dtype=spec.dtypes.activations,
        vector_ops=spec.batch * entry.elements * entry.ops_per_element,
    )


def _stream(spec: OperatorsWorkload, entry: StreamEntry) -> Operator:
    plain = Format(dtype=spec.dtypes.activations)
    stored = {"weights": spec.dtypes.weights, "kv": spec.dtypes.kv}.get(entry.role, plain)
    elements = entry.elements or (entry.bytes or 0) * 8 // BITS[stored.dtype]
    size, copies = entry.bytes or stored.bytes(1, elements), 1 if entry.role == "weights" else spec.batch
    data = Tensor(f"{entry.name}.data", entry.role, copies * elements, stored.dtype, copies * size)
    reads, writes = ((data,), ()) if entry.access == "read" else ((), (data,))
    return Operator(entry.name, reads, (*writes, _done(spec, entry.name)), mac_dtype=spec.dtypes.activations)


def _inputs(
    spec: OperatorsWorkload, entry: Reading | VectorEntry, sizes: Mapping[str, int], from_outside: int
) -> tuple[Tensor, ...]:
    """All that the inputs put out, or as many values from outside."""
    named = tuple(_values(spec, f"{name}.out", sizes[name]) for name in entry.inputs)
    return named or (_values(spec, f"{entry.name}.in", from_outside),)


def _values(spec: OperatorsWorkload, name: str, of_a_sequence: int) -> Tensor:
    elements, dtype = spec.batch * of_a_sequence, spec.dtypes.activations
    return Tensor(name, "activations", elements, dtype, packed_bytes(elements, dtype))


def _done(spec: OperatorsWorkload, name: str) -> Tensor:
    return _values(spec, f"{name}.out", 0)


def _waiting(spec: OperatorsWorkload, operator: Operator, others: Iterable[str]) -> Operator:
    return replace(operator, reads=(*operator.reads, *(_done(spec, other) for other in others)))


def _in_turn(spec: OperatorsWorkload, made: Sequence[tuple[Operator, ...]]) -> list[tuple[Operator, ...]]:
    """The entries that wait for none of this execution wait for the last ones of the execution before."""
    awaited = {entry.name: {*entry.after, *getattr(entry, "inputs", ())} for entry in spec.operators}
    inner = {name for names in awaited.values() for name in names}
    last = [name for name in awaited if name not in inner]
    return [
        group if waits else (_waiting(spec, group[0], last), *group[1:])
        for group, waits in zip(made, awaited.values(), strict=True)
    ]
