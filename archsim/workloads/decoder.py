"""Decoder-only language models: prefill and token-by-token decode through a stack of layers.

A decode step is embedding, layers, final norm and head; its last operator makes a token of each sequence. The cache
holds the prompt before the first step, and each step appends the token that it works on, so step t (from 0) sees
prompt + t + 1 tokens.

Served steps are of sequences at all stages, seen at their mean length: attention reads no more and no less for their
being unequal. Prompts join some steps, share the matrices with the sequences that go on, and make their first token.

The first layer differs: what a layer adds to the stream is added as the next begins, where one kernel can do it with
the norm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

from pydantic import Field, model_validator

from archsim.config.diagnostics import UnplacedError
from archsim.model.trace import Block, Phase, Resident, Role, Tensor, Trace
from archsim.model.workload import Served, Workload
from archsim.workloads.language_model import LanguageModel
from archsim.workloads.sublayer import Layer, Step
from archsim.workloads.token_pass import Operators, Part, Pass, Prompts, embedding, head, norm, residual, sampling

_LAST = "final"
"""What the norm before the head is called after."""

HELD: tuple[Role, ...] = ("kv", "state")


class DecoderWorkload(Workload):
    """Decode, and prefill where the prompt is not cached."""

    model: LanguageModel
    served: Served | None = Field(
        default=None, description="a server's steady state, in place of sequences that begin and end together"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        asking = self.served or self
        context, limit = asking.prompt_tokens + asking.output_tokens, self.model.max_context
        if limit is not None and context > limit:
            asked = f"prompt_tokens + output_tokens = {asking.prompt_tokens} + {asking.output_tokens} = {context}"
            message = f"context beyond the model's limit: {asked}, and {self.model.name} takes {limit}"
            raise UnplacedError(message, at=("served", "prompt_tokens") if self.served else ("prompt_tokens",))
        if self.served and (self.prompt_tokens or not self.prompt_cached):
            key = "prompt_tokens" if self.prompt_tokens else "prompt_cached"
            message = f"`served` says what prompts there are, and so does {key}"
            raise UnplacedError(message, help=f"leave out {key}", at=(key,))
        if self.served and self.served.requests is not None and self.served.requests < self.batch:
            message = f"of {self.served.requests:,} requests no {self.batch:,} are in flight at once"
            raise UnplacedError(message, "a smaller batch, or more requests", ("served", "requests"))
        if not self.prompt_cached and not self.prompt_tokens:
            message = "there is no prompt to simulate: prompt_tokens is 0"
            raise UnplacedError(message, help="give prompt_tokens, or leave prompt_cached true", at=("prompt_cached",))
        return self

    @property
    def sparse(self) -> bool:
        """Whether the model has experts."""
        return self.model.sparse

    @property
    def service(self) -> Served | None:
        """The steady state of a server, where it is one."""
        return self.served

    @property
    def grows(self) -> bool:
        """Whether the cache gains a token in each decode step."""
        return True

    @property
    def left_out(self) -> frozenset[Part]:
        """Parts of the model that are neither computed nor stored."""
        return frozenset()


Layers = Callable[[Pass], Sequence[Layer]]
"""The layers of a model, as a pass meets them."""


def trace(spec: DecoderWorkload, layers: Layers) -> Trace:
    """The operators of all passes, and what the model holds in memory: weights, caches and states."""
    stack = _Stack.of(_pass(spec, 1), layers, "decode", "token")
    weights = stack.weights()
    grown = spec.decode_steps if spec.grows else 0
    tokens = spec.served.context(spec.batch) if spec.served else spec.prompt_tokens + grown
    held = [tensor for run in stack.runs for part in run.layer for tensor in part.held(tokens) * run.times]
    sizes = {"weights": sum(tensor.bytes * times for tensor, times in weights)}
    sizes |= {role: sum(tensor.bytes for tensor in held if tensor.role == role) for role in HELD}
    return Trace(
        (*_prefill(spec, layers), *(_served(spec, spec.served, layers) if spec.served else _decode(spec, stack))),
        residents=tuple(Resident(role, sizes[role]) for role in ("weights", *HELD) if sizes[role]),
        parameters=sum(tensor.elements * times for tensor, times in weights),
    )


def _pass(spec: DecoderWorkload, tokens: int) -> Pass:
    return Pass(spec.model, spec.dtypes, spec.batch, tokens, spec.left_out)


def _prefill(spec: DecoderWorkload, layers: Layers) -> Iterator[Block]:
    if not spec.prompt_cached:
        stack = _Stack.of(_pass(spec, spec.prompt_tokens), layers, "prefill", "prompt")
        yield from stack.blocks(Step(0, spec.prompt_tokens))


def _decode(spec: DecoderWorkload, stack: _Stack) -> Iterator[Block]:
    earlier = 0 if spec.prompt_cached else 1
    for t in range(spec.decode_steps):
        yield from stack.blocks(Step(earlier + t, spec.prompt_tokens + (t + 1 if spec.grows else 0)))


def _served(spec: DecoderWorkload, served: Served, layers: Layers) -> Iterator[Block]:
    """Steps that make a token of each sequence in flight: the last of those that go on, the first of prompts."""

    @cache
    def stack(begun: int) -> _Stack:
        prompts = Prompts(begun, served.prompt_tokens) if begun else None
        joined = replace(_pass(spec, 1), batch=spec.batch - begun, prompts=prompts)
        found = _Stack.of(joined, layers, "decode", "token")
        return replace(found, ending=(*found.ending, sampling(joined)))

    for t, begun in enumerate(served.begun(spec.batch, spec.output_tokens, spec.seed)):
        yield from stack(begun).blocks(Step(t, served.context(spec.batch)))


@dataclass(frozen=True, slots=True)
class _Run:
    """Equal layers in a row, the first of that number; each adds first what sublayer `before` put out, if any."""

    layer: Layer
    before: str
    first: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class _Stack:
    """The layers of a pass between embedding and head."""

    at: Pass
    runs: tuple[_Run, ...]
    phase: Phase
    closes: str
    opening: Operators
    joint: Callable[[str, str], Operators]
    ending: Operators

    @staticmethod
    def of(at: Pass, layers: Layers, phase: Phase, closes: str) -> _Stack:
        """The stack of a pass; what does not depend on the step is built once."""

        @cache
        def joint(before: str, name: str, rows: int = at.rows) -> Operators:
            """The sum of a sublayer's term with the stream, and the norm with which the next one begins, if it does."""
            following = f"{name}_norm" if at.model.normed_before or name == _LAST else ""
            added = (residual(at, f"{before}_residual", rows, joins=following),) if before else ()
            return at.kept((*added, *((norm(at, following, rows),) if following else ())))

        runs = tuple(_runs(at, layers(at)))
        ending = (*joint(runs[-1].layer[-1].name, _LAST, at.sequences), *at.kept((head(at),)))
        return _Stack(at, runs, phase, closes, at.kept((embedding(at),)), joint, ending)

    def blocks(self, step: Step) -> tuple[Block, ...]:
        """The blocks of a step; the last one closes it."""
        layers = [Block(self._operators(run, step), self.phase, run.times, layer=True) for run in self.runs]
        blocks = (Block(self.opening, self.phase), *layers, Block(self.ending, self.phase))
        *others, final = (block for block in blocks if block.operators)
        return (*others, replace(final, closes=self.closes))

    def _operators(self, run: _Run, step: Step) -> Operators:
        found, before, here = [], run.before, replace(step, layer=run.first)
        for part in run.layer:
            found += [*self.joint(before, part.name), *part.operators(here)]
            before = part.name
        return tuple(found)

    def weights(self) -> list[tuple[Tensor, int]]:
        """Each weight tensor and the number of layers that have one; of the embedding the whole table, once."""
        table = self.at.weights("embedding.weight", self.at.model.vocabulary, self.at.model.hidden)
        operators = [(operator, 1) for operator in (*self.opening, *self.ending)]
        for run in self.runs:
            parts = [operator for part in run.layer for operator in (*self.joint("", part.name), *part.whole)]
            operators += [(operator, run.times) for operator in parts]
        read = [(tensor, times) for operator, times in operators for tensor in operator.reads]
        matrices = [(tensor, times) for tensor, times in read if tensor.role == "weights" and tensor.name != table.name]
        looked_up = any(tensor.name == table.name for tensor, _ in read)
        return [*matrices, (table, 1)] if looked_up else matrices


def _runs(at: Pass, layers: Sequence[Layer]) -> list[_Run]:
    firsts: list[tuple[Layer, str, int]] = []
    before = ""
    for index, layer in enumerate(layers):
        alike = firsts and firsts[-1][:2] == (layer, before)
        if not alike or any(part.drawn for part in layer):
            firsts.append((layer, before, index))
        before = layer[-1].name if at.keeps("residual") else ""
    ends = (*(index for *_, index in firsts[1:]), len(layers))
    return [_Run(*first, times=end - first[2]) for first, end in zip(firsts, ends, strict=True)]
