"""From a hardware file to pictures of the machine, nothing simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from archsim.config.settings import apply_sets
from archsim.mappers.access import AccessSettings, Paths, fetch, resolve, store
from archsim.model.machine import Machine, assemble
from archsim.model.plan import PlanError
from archsim.model.pricing import at_node, price_list
from archsim.model.request import Move, Requester
from archsim.reports import machine_svg, machine_text
from archsim.reports.machine_layout import layout
from archsim.reports.portrait import Portrait, Route, Step, main_memory
from archsim.reports.quantities import counted
from archsim.study.checking import Hardware, check_hardware
from archsim.study.files import HARDWARE_FOLDER, sought_document
from archsim.study.writing import write_whole

_WORDS = {"kv": "KV"}

_SAMPLE = 1 << 20
"""Bytes that are followed on their way, to say what one of them does: a row is opened for many."""


def machine(
    hardware: str, sets: Sequence[str] = (), *, width: int | None = None, color: bool = False
) -> tuple[str, str]:
    """A machine by path or shipped name, with every `--set` applied, as text and as SVG; raise `InputError`."""
    documents = {"hardware": sought_document(hardware, HARDWARE_FOLDER)}
    shown = portrait(check_hardware(apply_sets(documents, sets)["hardware"]))
    return machine_text.render(shown, width=width, color=color), machine_svg.render(shown)


def write(svg: str, path: Path) -> None:
    """Write the picture, whole or not at all."""
    write_whole(path, svg)


def portrait(target: Hardware) -> Portrait:
    """What the pictures of a checked machine may see."""
    header = target.header
    built = assemble(header.name, header.boundary, header.devices, target.components)
    return Portrait(
        hardware=header,
        machine=built,
        prices=at_node(price_list(built, f"stated in {Path(target.document.name).name}", header.sources), built),
        mapper=", ".join((target.settings.kind, *_degrees(target))),
        routes=tuple(_routes(target, built)),
    )


def _degrees(target: Hardware) -> Iterator[str]:
    """Degrees of parallelism that the file gives, and how it tells devices apart."""
    for name, value in target.settings:
        if name.endswith("_parallel") and value is not None:
            yield f"{name.replace('_', ' ')} {value}"
        elif name == "stragglers" and value is not None:
            parts = f" in {' and '.join(value.parts)}" if value.parts else ""
            yield f"{counted(value.count, 'straggler')} at {value.slowdown:g}×{parts}"
        elif name in ("explicit", "variation") and value:
            yield name if value is True else f"{name} {value:g}"


def _routes(target: Hardware, built: Machine) -> Iterator[Route]:
    """The ways of the tensors, those of the same steps as one."""
    paths = _paths(target, built)
    if paths is None:
        yield from _along_the_graph(built)
        return
    ways: dict[tuple[tuple[str, ...], tuple[Step, ...]], list[str]] = {}
    access: AccessSettings = target.settings.access
    for role in ("weights", "kv", "inputs"):
        path, operand = getattr(paths, role), getattr(access, role)
        steps = _steps(fetch(role, path, _SAMPLE, _SAMPLE, operand.fan, operand.run), built)
        ways.setdefault((path, steps), []).append(_WORDS.get(role, role))
    back = tuple(reversed(paths.outputs))
    ways.setdefault((back, _steps(store("outputs", paths.outputs, _SAMPLE, 1), built)), []).append("outputs")
    for (stations, steps), tensors in ways.items():
        yield Route(tuple(tensors), stations, steps)


def _paths(target: Hardware, built: Machine) -> Paths | None:
    """Where the mapper states access paths, and groups are nodes of the graph: those paths."""
    settings = target.settings
    grouped = all(node in built.components for node in built.wiring.graph)
    if not grouped or not isinstance(getattr(settings, "access", None), AccessSettings):
        return None
    try:
        return resolve(settings.access, settings.activations, built)
    except PlanError:
        return None


def _steps(moves: Sequence[Move], built: Machine) -> tuple[Step, ...]:
    """What a byte does on its moves, as the machine itself makes flows."""
    legs, sample = built.flow(moves, (), Requester(1)).legs, _SAMPLE * built.devices
    return tuple(Step(built.group_of(leg.component), leg.action, leg.bill / sample) for leg in legs)


def _along_the_graph(built: Machine) -> Iterator[Route]:
    """The longest way from the main memory to the tiles, every memory on it written and read."""
    chain = layout(built, main_memory(built)).chain
    if not chain:
        return
    stations = (chain[0].source, *(joint.target for joint in chain))
    steps = [Step(stations[0], "read", 1)]
    for joint, (_, station) in zip(chain, pairwise(stations), strict=True):
        steps.append(Step(joint.link, "move", 1))
        steps += [Step(station, action, 1) for action in ("move", "write", "read") if action in built.actions[station]]
    yield Route(("any",), stations, tuple(step for step in steps if step.action in built.actions[step.component]))
