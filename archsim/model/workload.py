"""The part of a workload file that every family shares."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from archsim.config.checked import Checked
from archsim.config.diagnostics import UnplacedError
from archsim.model.answers import sent_at_once, steady
from archsim.model.dtype import Dtype, packed_bytes


class Format(Checked):
    """How values are stored: a data type, and a scale for each group of values where `group` is given."""

    dtype: Dtype
    group: PositiveInt | None = Field(
        default=None, description="values that share one scale, along the reduction dimension"
    )
    scale: Dtype = Field(default="fp16", description="data type of the scales")

    def bytes(self, rows: int, length: int) -> int:
        """Bytes of `rows` vectors of `length` values each, scales included."""
        scales = rows * -(-length // self.group) if self.group else 0
        return packed_bytes(rows * length, self.dtype) + packed_bytes(scales, self.scale)


def _named(value: object) -> object:
    return {"dtype": value} if isinstance(value, str) else value


StoredAs = Annotated[Format, BeforeValidator(_named, json_schema_input_type=Dtype | Format)]


class Dtypes(Checked):
    """Data types of a run; MACs are computed in the type of the activations."""

    weights: StoredAs
    kv: StoredAs
    activations: Dtype
    experts: StoredAs | None = Field(
        default=None, description="weights of routed experts; as the other weights if left out"
    )


class Served(Checked):
    """Requests that come as others end: sequences in flight are at all stages of their answer.

    A sequence in flight has made output_tokens x (1 + variation^2) / 2 tokens on average (renewal theory: long answers
    are in flight for longer), and batch / output_tokens prompts begin in a step. Of a batch of `requests` sent at once
    the first begin together, so that sequences are shorter.
    """

    prompt_tokens: PositiveInt = Field(description="tokens of a prompt")
    output_tokens: PositiveInt = Field(description="tokens of an answer, on average")
    variation: Annotated[float, Field(ge=0, le=2)] = Field(
        default=0.0, description="standard deviation of the answers' lengths over their average; 0: all are equal"
    )

    requests: PositiveInt | None = Field(
        default=None, description="requests that were sent at once, as a benchmark does; without end if left out"
    )

    def context(self, batch: int) -> int:
        """Tokens of a sequence on average while `batch` are in flight, that being made included."""
        sent, variation = self.requests, self.variation
        share = steady(variation) if sent is None else sent_at_once(sent, batch, variation)
        return self.prompt_tokens + max(1, round(self.output_tokens * share))

    def begun(self, batch: int, steps: int, seed: int) -> tuple[int, ...]:
        """Prompts that each step works on: in all as many as are due, rounded, at steps that are drawn.

        Ends of answers fall on any step alike, so some steps have several prompts and others none; those that find
        all places taken wait for the next.
        """
        due, draw = (2 * batch * steps + self.output_tokens) // (2 * self.output_tokens), Random(seed)
        drawn = Counter(int(draw.random() * steps) for _ in range(due))
        waiting = 0
        for _ in range(2):  # what is left over by the last step waits for the first
            for step in range(steps):
                waiting += drawn[step]
                drawn[step] = min(batch, waiting)
                waiting -= drawn[step]
        return tuple(drawn[step] for step in range(steps))


class Workload(Checked):
    """What is asked for: a model, a batch of sequences and the tokens of each."""

    mix: ClassVar[bool] = True
    """Whether it runs whole steps of a model, which mix kernels, rather than single kernels."""

    schema_name: Literal["archsim.workload/1"] = Field(alias="schema")
    name: str
    family: str
    batch: PositiveInt = Field(default=1, description="sequences decoded together")
    prompt_tokens: Annotated[int, Field(ge=0)] = Field(
        default=0, description="tokens of each sequence before the first output token"
    )
    prompt_cached: bool = Field(
        default=True, description="false: prefill is simulated, and time to first token reported"
    )
    output_tokens: PositiveInt = Field(
        default=1, description="tokens that each sequence puts out; with `served`, the steps that are simulated"
    )
    dtypes: Dtypes
    seed: Annotated[int, Field(ge=0)] = 0
    activity: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0,
        description="bit activity of the data: 1 is random, 0 is zeros; trained weights lie between 0.5 and 1",
    )

    @model_validator(mode="after")
    def _has_what_has_a_type(self) -> Self:
        if self.dtypes.experts and not self.sparse:
            raise UnplacedError("a data type of experts, and there are none", at=("dtypes", "experts"))
        return self

    @property
    def sparse(self) -> bool:
        """Whether there are experts."""
        return False

    @property
    def service(self) -> Served | None:
        """The steady state of a server, where it is one."""
        return None

    @property
    def decode_steps(self) -> int:
        """Tokens of each sequence that decode makes; a simulated prefill makes the first one itself."""
        return self.output_tokens if self.prompt_cached else self.output_tokens - 1
