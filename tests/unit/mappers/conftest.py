"""A small GPU-like machine, 8 tiles behind L2 and two stacks of HBM, and the operators of a decoder."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.mappers.access import Paths
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble
from archsim.model.trace import Operator, Trace
from archsim.workloads.transformer import TransformerWorkload, trace

BYTE = {"read": "10 pJ/B", "write": "20 pJ/B"}
HEADS, KV_HEADS, HEAD_SIZE, LAYERS = 8, 4, 16, 2
HIDDEN, FEED_FORWARD, VOCABULARY = HEADS * HEAD_SIZE, 320, 1024


def components(capacity: str, topology: str = "switch") -> Mapping[str, Component]:
    return {
        "hbm": HbmStack.model_validate(
            {
                "kind": "hbm_stack",
                "count": 2,
                "capacity": capacity,
                "bandwidth": "100 GB/s",
                "latency": "400 ns",
                "static": "1 W",
                "energy": BYTE,
            }
        ),
        "l2": Sram.model_validate(
            {"kind": "sram", "capacity": "1 MiB", "bandwidth": "400 GB/s", "static": "0.5 W", "energy": BYTE}
        ),
        "sm": Tile.model_validate(
            {
                "kind": "tile",
                "count": 8,
                "macs": {"bf16": "1 TMAC/s"},
                "vector": "50 Gop/s",
                "window": "32 KiB",
                "grain": "4 KiB",
                "static": "0.8 W",
                "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op"},
            }
        ),
        "mem": Link.model_validate({"between": ["hbm", "l2"], "bandwidth": "unlimited", "energy": "50 pJ/B"}),
        "xbar": Link.model_validate(
            {"between": ["l2", "sm"], "count": 8, "bandwidth": "50 GB/s", "latency": "100 ns", "energy": "30 pJ/B"}
        ),
        "wire": Link.model_validate(
            {
                "between": ["device", "device"],
                "topology": topology,
                "bandwidth": "50 GB/s",
                "latency": "1 us",
                "energy": "90 pJ/B",
            }
        ),
    }


@pytest.fixture
def machine() -> Callable[..., Machine]:
    """`machine(devices=2, capacity="10 GB")`."""

    def build(devices: int = 1, capacity: str = "1 GiB", without: str = "", topology: str = "switch") -> Machine:
        parts = {name: item for name, item in components(capacity, topology).items() if name != without}
        return assemble("small", "board", devices, parts)

    return build


@pytest.fixture
def paths() -> Paths:
    """From HBM over L2 to the tiles, results in L2."""
    path = ("hbm", "l2", "sm")
    return Paths(path, path, path, path, "l2")


@pytest.fixture
def decoder() -> Callable[..., Trace]:
    """`decoder(batch=2)`: the trace of a small Llama."""

    def build(**fields: Any) -> Trace:
        model = {
            "name": "small",
            "layers": LAYERS,
            "hidden": HIDDEN,
            "feed_forward": FEED_FORWARD,
            "heads": HEADS,
            "kv_heads": KV_HEADS,
            "vocabulary": VOCABULARY,
        }
        given = {
            "schema": "archsim.workload/1",
            "name": "small",
            "family": "transformer",
            "model": model,
            "prompt_tokens": 64,
            "dtypes": {"weights": "bf16", "kv": "bf16", "activations": "bf16"},
        }
        return trace(TransformerWorkload.model_validate(given | fields))

    return build


@pytest.fixture
def operators(decoder: Callable[..., Trace]) -> Mapping[str, Operator]:
    """The operators of one decode step by name."""
    return {operator.name: operator for operator, _, _ in decoder().executions()}
