"""A machine of one memory, one link and four tiles, whose every number is a parameter."""

from collections.abc import Callable
from typing import Any

import pytest

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.tile import Tile
from archsim.model.component import Component
from archsim.model.machine import Machine, assemble


@pytest.fixture
def machine() -> Callable[..., Machine]:
    """`machine(hbm={"bandwidth": "1 GB/s"}, devices=2)`: fields laid over those of each component."""

    def build(devices: int = 1, **fields: dict[str, Any]) -> Machine:
        hbm = {
            "kind": "hbm_stack",
            "count": 2,
            "capacity": "1 GiB",
            "bandwidth": "100 GB/s",
            "latency": "400 ns",
            "static": {"value": "1 W", "low": "0.5 W", "high": "2 W"},
            "energy": {"read": {"value": "30 pJ/B", "low": "20 pJ/B", "high": "45 pJ/B"}, "write": "40 pJ/B"},
        }
        link = {"between": ["hbm", "sm"], "bandwidth": "150 GB/s", "latency": "100 ns", "energy": "5 pJ/B"}
        tile = {
            "kind": "tile",
            "count": 4,
            "macs": {"bf16": "1 TMAC/s"},
            "vector": "50 Gop/s",
            "window": "64 KiB",
            "grain": "1 KiB",
            "static": "0.25 W",
            "energy": {"mac": {"bf16": "1 pJ/MAC"}, "vector": "5 pJ/op"},
        }
        components: dict[str, Component] = {
            "hbm": HbmStack.model_validate(hbm | fields.get("hbm", {})),
            "bus": Link.model_validate(link | fields.get("bus", {})),
            "sm": Tile.model_validate(tile | fields.get("sm", {})),
        }
        return assemble("small", "chip", devices, components)

    return build
