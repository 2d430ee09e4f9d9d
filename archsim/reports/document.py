"""The result as plain data: the object that `archsim.result/1` describes, its keys in the order of the schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from archsim import __version__
from archsim.model.conversion import bill
from archsim.model.ledger import price_unit
from archsim.model.pricing import Priced
from archsim.model.result import Result
from archsim.model.run import STATIC
from archsim.model.scaling import scaling
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.model.uncertainty import band, dominant
from archsim.model.workload import Format
from archsim.reports.apart import waiting, waiting_j
from archsim.reports.headline import headline
from archsim.reports.operators import accounted

SCHEMA = "archsim.result/1"

Document = dict[str, Any]


def document(result: Result) -> Document:
    """All of a result in dicts, lists, texts and numbers; equal but for `wall_s` where inputs, seed and command are."""
    return {
        "schema": SCHEMA,
        "archsim_version": __version__,
        "workload": _workload(result),
        "hardware": _hardware(result),
        "latency": asdict(result.latency),
        "throughput": _throughput(result),
        "energy": _energy(result),
        "power": _power(result),
        "per_million_tokens": _bill(result),
        "utilization": dict(result.utilization),
        "traffic_bytes_per_token": dict(result.traffic),
        "operators": [asdict(line) for line in accounted(result)],
        **_devices(result),
        "capacity": _capacity(result),
        "counts": [count(entry) for entry in result.entries],
        "simulation": _simulation(result),
        "warnings": list(result.warnings),
        "provenance": _provenance(result),
    }


def count(entry: Priced) -> Document:
    """One row of the ledger with its price in picojoules per unit."""
    price = entry.price
    return {**asdict(entry.row), "price_pj": price.value, "low_pj": price.low, "high_pj": price.high}


def stored_as(stored: Format) -> str | Document:
    """A format as a workload file states it: a name, or a name with groups and scales."""
    return stored.dtype if stored.group is None else stored.model_dump()


def _workload(result: Result) -> Document:
    workload = result.workload
    dtypes = workload.dtypes
    return {
        "name": workload.name,
        "family": workload.family,
        "batch": workload.batch,
        "prompt_tokens": workload.prompt_tokens,
        "output_tokens": workload.output_tokens,
        **({"served": workload.service.model_dump()} if workload.service else {}),
        "dtypes": {
            "weights": stored_as(dtypes.weights),
            "kv": stored_as(dtypes.kv),
            "activations": dtypes.activations,
            **({"experts": stored_as(dtypes.experts)} if dtypes.experts else {}),
        },
    }


def _hardware(result: Result) -> Document:
    return {
        "name": result.hardware.name,
        "class": result.hardware.hardware_class,
        "devices": result.hardware.devices,
        "parallel": dict(result.plan.parallel),
        "stack": result.hardware.stack,
        "boundary": result.machine.boundary,
    }


def _throughput(result: Result) -> Document:
    first = headline(result)
    return {
        "tokens_per_s_per_user": first.tokens_per_s_per_user,
        "tokens_per_s": first.tokens_per_s,
        "sequences_in_flight": result.plan.in_flight,
    }


def _energy(result: Result) -> Document:
    first, tails = headline(result), band(result.constants)
    return {
        "per_token_j": first.per_token.value,
        "low_j": first.per_token.low,
        "high_j": first.per_token.high,
        "p05_j": tails.p05,
        "p95_j": tails.p95,
        "total_j": result.energy.value,
        "decode_j_per_output_token": first.decode_j_per_output_token,
        "prefill_j_per_input_token": first.prefill_j_per_input_token,
        "by_component": result.by("component"),
        "by_action": result.by("action"),
        "by_operator": result.by("operator"),
        "by_tensor": result.by("tensor"),
        "by_phase": {phase or STATIC: joules for phase, joules in result.by("phase").items()},
        "by_kind": result.by_kind(),
        "dominant": [constant._asdict() for constant in dominant(result.constants)],
        "activity": result.workload.activity,
        "low_activity_j": result.at_low_activity,
    }


def _power(result: Result) -> Document:
    cap, first = result.hardware.power_cap, headline(result)
    return {
        "average_w": first.average_w,
        "per_device_w": first.device_w,
        "tdp_limited": bool(result.slowed),
        "cap_w": cap.power.value if cap else None,
        "slowed": [item._asdict() for item in result.slowed],
    }


def _bill(result: Result) -> Document:
    """A mapping of value, low and high for each figure; null for what the machine has no data to say."""
    found = bill(result)
    figures = {
        name: getattr(found, name) for name in ("water_l", "carbon_kg", "electricity_usd", "hire_usd", "total_usd")
    }
    spans = {name: span and span._asdict() for name, span in figures.items()}
    kwh = {boundary: span and span._asdict() for boundary, span in found.kwh.items()}
    return {"kwh": kwh, **spans, "site": result.hardware.site.model_dump(mode="json")}


def _devices(result: Result) -> Document:
    """How long each device works by itself and waits for others, with the static joules of that per output token."""
    times = [
        {
            "device": item.device,
            "kernels_s": item.kernels / PS_PER_SECOND,
            "waits_s": item.waits / PS_PER_SECOND,
            "waits_j": waiting_j(result, item.waits),
        }
        for item in waiting(result)
    ]
    return {"devices": times} if times else {}


def _capacity(result: Result) -> Document:
    return {name: {"used_bytes": used, "total_bytes": total} for name, (used, total) in result.capacity.items()}


def _simulation(result: Result) -> Document:
    run = result.run
    return {"events": run.events, "wall_s": result.wall_s, "fidelity": run.fidelity, "seed": result.workload.seed}


def _provenance(result: Result) -> Document:
    used = {(entry.row.component, entry.row.action): entry for entry in result.entries}
    return {
        "inputs": [{"path": path, "sha256": digest} for path, digest in result.provenance.inputs],
        "command": result.provenance.command,
        "prices": [_price(entry, result) for entry in used.values()],
        "validated": {name: item._asdict() for name, item in result.validity._asdict().items()},
    }


def _price(entry: Priced, result: Result) -> Document:
    row, price = entry.row, entry.price
    by = scaling(result.machine.components[row.component], row.unit)
    return {
        "component": row.component,
        "action": row.action,
        "value": price.value,
        "unit": price_unit(row.unit),
        "boundary": price.boundary,
        "grade": price.grade,
        "source": price.source,
        "scaled": by and asdict(by),
    }
