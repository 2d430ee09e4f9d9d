"""An explicit list of operators, as YAML entries or as rows of a CSV file.

An entry reads what the entries named in `inputs` put out, or else data from outside. Sizes are those of one sequence,
and the batch multiplies them; weights are shared by all sequences. The list is executed `times` over, each time with
data of its own; then a token is complete, and the next one waits for it. What an entry waits for and does not read is
a tensor of no bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from archsim.config.diagnostics import UnplacedError, did_you_mean, listed
from archsim.model.dtype import BITS, packed_bytes
from archsim.model.trace import Block, Gemm, Operator, Resident, Role, Tensor, Trace
from archsim.model.workload import Format, Workload
from archsim.workloads.operator_entries import Entry, GemmEntry, StreamEntry, VectorEntry

KIND = "operators"

HELD: tuple[Role, ...] = ("weights", "kv", "state")


class OperatorsWorkload(Workload):
    """A list of operators, executed for each output token."""

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
    operators = tuple(_operator(spec, entry, sizes) for entry in spec.operators)
    if spec.times * spec.output_tokens > 1:
        operators = _in_turn(spec, operators)
    moved = [tensor for operator in operators for tensor in (*operator.reads, *operator.writes)]
    held = {role: spec.times * sum(tensor.bytes for tensor in moved if tensor.role == role) for role in HELD}
    return Trace(
        (Block(operators, "decode", spec.times, closes="token"),) * spec.output_tokens,
        residents=tuple(Resident(role, size) for role, size in held.items() if size),
        parameters=spec.times * sum(tensor.elements for tensor in moved if tensor.role == "weights"),
    )


def _check_inputs(entry: Entry, earlier: Mapping[str, int], at: tuple[str | int, ...]) -> None:
    inputs = () if isinstance(entry, StreamEntry) else entry.inputs
    for field, names in (("inputs", inputs), ("after", entry.after)):
        if unknown := next((name for name in names if name not in earlier), None):
            message = f"`{unknown}` is no earlier operator; earlier: {listed(earlier) or 'none'}"
            raise UnplacedError(message, help=did_you_mean(unknown, earlier), at=(*at, field))
    if isinstance(entry, GemmEntry) and inputs:
        given, taken = sum(earlier[name] for name in inputs), entry.m * entry.k
        if given != taken:
            message = f"`{entry.name}` takes m x k = {taken} values of each sequence, and its inputs put out {given}"
            raise UnplacedError(message, at=(*at, "inputs"))


def _operator(spec: OperatorsWorkload, entry: Entry, sizes: Mapping[str, int]) -> Operator:
    if isinstance(entry, GemmEntry):
        operator = _gemm(spec, entry, sizes)
    elif isinstance(entry, VectorEntry):
        operator = _vector(spec, entry, sizes)
    else:
        operator = _stream(spec, entry)
    return _waiting(spec, operator, entry.after)


def _gemm(spec: OperatorsWorkload, entry: GemmEntry, sizes: Mapping[str, int]) -> Operator:
    shape, stored = Gemm(entry.m * spec.batch, entry.n, entry.k), spec.dtypes.weights
    weights = Tensor(f"{entry.name}.weight", "weights", shape.n * shape.k, stored.dtype, stored.bytes(shape.n, shape.k))
    return Operator(
        entry.name,
        reads=(*_inputs(spec, entry, sizes, entry.m * entry.k), weights),
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
    spec: OperatorsWorkload, entry: GemmEntry | VectorEntry, sizes: Mapping[str, int], from_outside: int
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


def _in_turn(spec: OperatorsWorkload, operators: tuple[Operator, ...]) -> tuple[Operator, ...]:
    """The operators that wait for none of this execution wait for the last ones of the execution before."""
    awaited = {entry.name: {*entry.after, *getattr(entry, "inputs", ())} for entry in spec.operators}
    inner = {name for names in awaited.values() for name in names}
    last = [name for name in awaited if name not in inner]
    return tuple(operator if awaited[operator.name] else _waiting(spec, operator, last) for operator in operators)
