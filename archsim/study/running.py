"""The corridor: check, trace, map, simulate, audit, price; each step a pure function of the one before."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from archsim.config.diagnostics import InputError, fail, of_option
from archsim.config.document import position_at
from archsim.config.validation import unknown_choice
from archsim.engine.audit import audit
from archsim.engine.simulate import FIDELITIES
from archsim.model.capping import Slowed
from archsim.model.conversion import ConversionError, converted
from archsim.model.ledger import ledger
from archsim.model.machine import Machine, assemble
from archsim.model.price import BOUNDARIES, UNSTATED, Boundary
from archsim.model.pricing import PriceList, at_node, price_list
from archsim.model.result import Provenance, Result
from archsim.model.scaling import rescaled
from archsim.model.tariff import Tariff, tariff
from archsim.study.checking import Findings, Hardware, Job, check_hardware, check_workload
from archsim.study.files import load_pair
from archsim.study.playing import How, Question

_AROUND = frozenset({"site"})
"""Keys of a machine that change neither its time nor the energy within its boundary."""


@dataclass(frozen=True)
class Finished:
    """A result with the checked files that it was made from, how, and at which boundary if one was asked for."""

    job: Job
    target: Hardware
    how: How
    boundary: Boundary | None
    result: Result


class AuditError(Exception):
    """The books of a run do not balance: a defect of archsim, not of its input."""


def run(  # noqa: PLR0913 - each is an option of the command
    workload: str,
    hardware: str,
    sets: Sequence[str] = (),
    *,
    fidelity: str = "flow",
    chunk: int | None = None,
    boundary: str | None = None,
    command: str = "",
    timeline: bool = False,
    max_events: int | None = None,
) -> Finished:
    """Simulate a workload on a machine, both by path or shipped name, in at most `max_events`.

    Raises:
        InputError: with every finding about the files.
        AuditError: where the books do not balance.
    """
    _check_fidelity(fidelity, chunk)
    wanted = None if boundary is None else named_boundary(boundary)
    documents = load_pair(workload, hardware, sets)
    findings = Findings()
    job = findings.of(lambda: check_workload(documents[0]))
    target = findings.of(lambda: check_hardware(documents[1]))
    findings.stop()
    checked = Findings.settled(job), Findings.settled(target)
    how = How(fidelity, chunk, timeline, max_events)
    result = simulated(*checked, how, command)
    return Finished(*checked, how, wanted, at_boundary(result, wanted, checked[1]) if wanted else result)


def at_boundary(result: Result, wanted: Boundary, target: Hardware) -> Result:
    """The result with its joules converted; raise `InputError` where the machine has no data for it."""
    try:
        return converted(result, wanted)
    except ConversionError as error:
        fail(str(error), position_at(target.document, ("boundary",)), "boundaries: " + ", ".join(BOUNDARIES))


def simulated(job: Job, target: Hardware, how: How, command: str) -> Result:
    """The corridor from checked values on."""
    machine = assemble(target.header.name, target.header.boundary, target.header.devices, target.components)
    stated = _tariff(job, target, machine)
    start = time.perf_counter()
    trace, plan, prices, limited, done = Question(job, target, machine, stated, how).played()
    wall = time.perf_counter() - start
    discrepancies = audit(trace, plan, machine, done)
    if discrepancies:
        raise AuditError("the books do not balance:\n" + "\n".join(f"- {sentence}" for sentence in discrepancies))
    result = Result(
        workload=job.workload,
        hardware=target.header,
        machine=machine,
        plan=plan,
        run=done,
        entries=prices.bill(ledger(done, machine), limited.factors),
        warnings=(*plan.warnings, *_free(prices.stated), *_elsewhere(machine, prices)),
        provenance=Provenance(tuple(dict.fromkeys((*job.document.sources, *target.sources))), command),
        wall_s=wall,
        edited=bool(target.document.edited - _AROUND),
        slowed=limited.slowed,
    )
    return replace(result, warnings=(*result.warnings, *_counted_twice(result), *_limited(result)))


def _tariff(job: Job, target: Hardware, machine: Machine) -> Tariff:
    stated = price_list(machine, f"stated in {target.document.name}", target.header.sources)
    here = at_node(stated, machine)
    found = tariff(stated, job.workload.activity, target.stack, mixed=job.workload.mix, here=here)
    by_software = {key: found.steps[key] for key in _by_software(found)}
    return replace(found, steps={**found.steps, **at_node(by_software, machine)})


def _by_software(prices: Tariff) -> Iterator[tuple[str, str]]:
    """Components and actions that only the stack has a price for."""
    return (key for key, price in prices.stated.items() if price.source == UNSTATED and prices.steps[key].high)


def _check_fidelity(wanted: str, chunk: int | None) -> None:
    if wanted not in FIDELITIES:
        raise InputError([unknown_choice("fidelity", wanted, FIDELITIES, of_option("--fidelity", wanted))])
    if chunk is not None and wanted == "flow":
        fail("at `flow` nothing is cut into chunks", of_option("--chunk-bytes", str(chunk)), "--fidelity chunk or tile")


def named_boundary(wanted: str) -> Boundary:
    """The boundary of a name; raise `InputError` for an unknown one."""
    found = next((name for name in BOUNDARIES if name == wanted), None)
    if found is None:
        raise InputError([unknown_choice("boundary", wanted, BOUNDARIES, of_option("--boundary", wanted))])
    return found


def _limited(result: Result) -> list[str]:
    """A warning where power slowed the machine down, or would have slowed down a real one."""
    tdp, cap, power = result.hardware.tdp, result.hardware.power_cap, result.average_w / result.machine.devices
    if cap and result.slowed:
        held = f"held to {cap.power.value:g} W per device: {_slowest(result.slowed, together=cap.settles > 0)}"
        return [f"{held}; other prices leave these times as they are"]
    if cap and power > cap.power.value:
        lasted = f"{power:.0f} W per device for {result.latency.total_s * 1e3:.3g} ms"
        return [f"{lasted}: over before the limit of {cap.power.value:g} W acts; kept up, it is slower"]
    if tdp is None or power <= tdp:
        return []
    return [f"{power:.0f} W per device is above the TDP of {tdp:g} W and no power cap is stated: a real one is slower"]


def _slowest(slowed: Sequence[Slowed], *, together: bool) -> str:
    """What was held, by the lowest clock: kernels by themselves, or all of a phase together."""
    names = [item.phase if together else f"{item.operator} ({item.phase})" for item in slowed]
    least, name = min(zip(slowed, names, strict=True), key=lambda pair: pair[0].clock)
    after = f" after {least.after_s * 1e3:.3g} ms" if least.after_s else ""
    others = len(set(names)) - 1
    return f"{name} runs at {least.clock:.2f} of its clock{after}{f' and {others} more' if others else ''}"


def _elsewhere(machine: Machine, prices: Tariff) -> Iterator[str]:
    """What stands at another node, component by component."""
    listed = rescaled(machine.components, machine.actions, frozenset(_by_software(prices)))
    return (f"at another node: {sentence}" for sentence in listed)


def _counted_twice(result: Result) -> list[str]:
    """A warning for the layers that two components are both priced for on the way of one tensor."""
    components = result.machine.components
    ways: dict[tuple[str, str], dict[str, None]] = {}
    for row in (entry.row for entry in result.entries if components[entry.row.component].covers):
        ways.setdefault((row.operator, row.tensor), {})[row.component] = None
    found: dict[tuple[str, str], list[str]] = {}
    for pair in (pair for way in ways.values() for pair in combinations(way, 2)):
        one, other = (components[name].covers for name in pair)
        found[pair] = [layer for layer in one if layer in other]
    return [f"counted twice, by {' and '.join(pair)}: {', '.join(both)}" for pair, both in found.items() if both]


def _free(prices: PriceList) -> list[str]:
    """A warning that names what costs nothing: an explicit zero is allowed, but never silent."""
    free = [
        f"{name} {action}" for (name, action), price in prices.items() if price.high == 0 and price.source != UNSTATED
    ]
    return [f"priced at zero: {', '.join(free)}"] if free else []
