import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from archsim.config.shipped import shipped
from archsim.study import schemas

ROOT = Path(__file__).resolve().parents[3]
PRINTED: Mapping[str, Callable[[], str]] = {"hardware": schemas.hardware, "workload": schemas.workload}
FOLDERS = {"hardware": "hw_configs", "workload": "workloads"}
FILES = [(kind, name) for kind, folder in FOLDERS.items() for name in shipped(folder)]

MACHINE: dict[str, Any] = {
    "schema": "archsim.hardware/1",
    "name": "small",
    "class": "gpu",
    "boundary": "board",
    "components": {
        "hbm": {"kind": "hbm_stack", "library": "hbm3", "capacity": "16 GiB"},
        "sram": {
            "kind": "sram",
            "capacity": "1 MiB",
            "bandwidth": "unlimited",
            "static": "0 W",
            "energy": {"read": "2 pJ/B", "write": {"value": "2 pJ/B", "high": "3 pJ/B", "grade": "assumed"}},
        },
    },
    "links": {"wire": {"between": ["hbm", "sram"], "bandwidth": "1 TB/s", "energy": "4.9 pJ/bit"}},
    "mapper": {"kind": "temporal"},
}


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(PRINTED[kind]()))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small machine with a value set at a path, or deleted where it is None."""
    machine = deepcopy(MACHINE)
    *above, last = path.split(".")
    target = machine
    for key in above:
        target = target[key]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return machine


@pytest.mark.parametrize("kind", PRINTED)
def test_the_committed_schema_is_what_the_command_prints(kind: str) -> None:
    committed = (ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert committed == PRINTED[kind](), f"run: archsim schema {kind} > schemas/{kind}.schema.json"


@pytest.mark.parametrize("kind", PRINTED)
def test_a_schema_is_a_schema(kind: str) -> None:
    rules = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    assert not list(rules.iter_errors(json.loads(PRINTED[kind]())))


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_shipped_files_are_valid(kind: str, name: str) -> None:
    text = shipped(FOLDERS[kind])[name].read_text(encoding="utf-8")
    assert [error.message for error in validator(kind).iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_shipped_files_are_not_with_an_unknown_key(kind: str, name: str) -> None:
    text = shipped(FOLDERS[kind])[name].read_text(encoding="utf-8")
    assert not validator(kind).is_valid(yaml.safe_load(text) | {"bathc": 8})


def test_a_small_machine_is_valid() -> None:
    assert [error.message for error in validator("hardware").iter_errors(MACHINE)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("components.sram.bandwith", "1 TB/s"),
        ("components.sram.bandwidth", 5),
        ("components.sram.bandwidth", "5 GB"),
        ("components.sram.kind", "sarm"),
        ("components.sram.kind", None),
        ("components.sram.capacity", None),
        ("components.sram.energy.read", None),
        ("components.sram.energy.write.grade", "guessed"),
        ("components.sram.energy.write.value", "2 pJ"),
        ("components.hbm.library", None),
        ("components.hbm.energy", {"reed": "1 pJ/B"}),
        ("links.wire.energy", None),
        ("links.wire.between", ["hbm"]),
        ("links.wire.kind", "sram"),
        ("mapper.kind", None),
        ("mapper.tensor_parallel", "four"),
        ("boundary", None),
        ("components", None),
    ],
)
def test_what_a_check_refuses_an_editor_marks(path: str, value: Any) -> None:
    assert not validator("hardware").is_valid(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("components.hbm.energy", {"read": "30 pJ/B"}),
        ("components.sram.library", "gpu-l2-4n"),
        ("links.wire.kind", "link"),
        ("stack", "vllm-hopper"),
        ("components.sram.static", {"value": "1 W", "low": "0.5 W", "high": "2 W", "boundary": "chip", "source": "x"}),
    ],
)
def test_what_a_check_accepts_an_editor_does_not_mark(path: str, value: Any) -> None:
    assert validator("hardware").is_valid(changed(path, value))


def test_a_file_that_extends_another_may_leave_out_anything_but_invent_nothing() -> None:
    hardware = validator("hardware")
    assert hardware.is_valid(
        {"extends": "h100-sxm.yaml", "components": {"hbm": {"count": 6}}, "links": {"nvlink": None}}
    )
    assert not hardware.is_valid({"extends": "h100-sxm.yaml", "components": {"hbm": {"cuont": 6}}})
    assert validator("workload").is_valid({"extends": "base.yaml", "batch": 8})


def test_a_workload_is_checked_by_its_family() -> None:
    dtypes = {"weights": "int8", "kv": "int8", "activations": "int8"}
    gemv = {"schema": "archsim.workload/1", "name": "g", "family": "operators", "dtypes": dtypes}
    entry = {"kind": "gemm", "name": "a", "n": 4, "k": 4}
    workload = validator("workload")
    assert workload.is_valid(gemv | {"operators": [entry]})
    assert not workload.is_valid(gemv)
    assert not workload.is_valid(gemv | {"operators": [entry], "model": "models/llama-3.1-8b.yaml"})
    assert not workload.is_valid(gemv | {"operators": [entry | {"kind": "gem"}]})


def test_names_that_there_are_to_write_are_offered() -> None:
    definitions = json.loads(schemas.hardware())["$defs"]
    assert "gpu-l2-4n" in definitions["Sram"]["properties"]["library"]["anyOf"][0]["enum"]
    assert "gpu-l2-4n" not in definitions["Tile"]["properties"]["library"]["anyOf"][0]["enum"]
    model = json.loads(schemas.workload())["$defs"]["TransformerWorkload"]["properties"]["model"]
    assert "models/llama-3.1-8b.yaml" in model["examples"]


def test_defaults_are_written_as_people_write_them() -> None:
    definitions = json.loads(schemas.hardware())["$defs"]
    assert definitions["Sram"]["properties"]["latency"]["default"] == "0 s"
    assert definitions["Link"]["properties"]["static"]["default"] == "0 W"
