"""What a list of operators takes on a machine, and nothing else: for scoring and fitting many points.

The corridor without ledger and audit, and without the host's part of a step: kernels are measured without it. Prices
are there for the limit of power alone, which a kernel that is replayed for long is held to; its data are random.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archsim.engine.simulate import simulate
from archsim.model.machine import Machine, assemble
from archsim.model.pricing import at_node, price_list
from archsim.model.stack import Step
from archsim.model.tariff import Tariff, tariff
from archsim.model.trace import Trace
from archsim.model.workload import Dtypes
from archsim.study.checking import WORKLOAD, WORKLOADS, Hardware
from archsim.study.playing import held_to_limit


@dataclass(frozen=True)
class Bench:
    """A checked machine on which operators are timed, about a millisecond of work each.

    With another number of devices than the file's, all of them share every operator. To time under another stack,
    replace the one of `target`.
    """

    target: Hardware
    devices: int | None = None

    @cached_property
    def _machine(self) -> Machine:
        header = self.target.header
        return assemble(header.name, header.boundary, self.devices or header.devices, self.target.components)

    @cached_property
    def _prices(self) -> Tariff:
        stated = price_list(self._machine, f"stated in {self.target.document.name}", self.target.header.sources)
        return tariff(stated, 1.0, self.target.stack, mixed=False, here=at_node(stated, self._machine))

    @cached_property
    def _settings(self) -> Any:
        degrees = {"tensor_parallel": None, "expert_parallel": None} if self.devices else {}
        return self.target.settings.model_copy(update=degrees)

    def picoseconds(
        self, operators: Iterable[Mapping[str, Any]], dtypes: Dtypes | Mapping[str, Any], batch: int = 1, seed: int = 0
    ) -> int:
        """Time of a list of entries as the family `operators` has them, in one execution.

        Raises:
            ValidationError: where an entry is none (pydantic's).
            PlanError: where the list does not go onto the machine.
        """
        return self.timed(asked(operators, dtypes, batch, seed), batch)

    def timed(self, trace: Trace, batch: int) -> int:
        """Picoseconds of one execution of a trace; raise `PlanError` where it does not go onto the machine."""
        stack = self.target.stack.model_copy(update={"step": Step()})
        plan = self.target.mapper.plan(trace, self._machine, self._settings, stack, batch)
        return simulate(held_to_limit(plan, self.target, self._machine, self._prices).graph).picoseconds


def asked(
    operators: Iterable[Mapping[str, Any]], dtypes: Dtypes | Mapping[str, Any], batch: int = 1, seed: int = 0
) -> Trace:
    """What a list of entries asks for; raise pydantic's `ValidationError` where an entry is none."""
    family = WORKLOADS.get("operators")
    given = {"schema": WORKLOAD, "name": "bench", "family": "operators", "dtypes": dtypes, "seed": seed}
    trace: Trace = family.trace(family.SPEC.model_validate({**given, "operators": list(operators), "batch": batch}))
    return trace
