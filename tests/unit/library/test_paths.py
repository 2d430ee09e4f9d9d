"""The paths of shipped machines: no layer twice, and those of GPUs sum to what was measured of the whole."""

import pytest

from archsim.config.document import load
from archsim.config.shipped import shipped
from archsim.config.validation import build
from archsim.model.reference import Reference
from archsim.reports.portrait import Portrait, counted_twice, covered, route_energy
from archsim.study.checking import check_hardware
from archsim.study.shelves import library_entries
from archsim.study.showing import portrait

MACHINES = shipped("hw_configs")


def shown(name: str) -> Portrait:
    return portrait(check_hardware(load(MACHINES[name], "hw_configs")))


@pytest.mark.parametrize("name", MACHINES)
def test_no_shipped_machine_is_priced_twice_for_a_layer(name: str) -> None:
    found = shown(name)
    assert [text for route in found.routes for text in counted_twice(route, found.machine)] == []


@pytest.mark.parametrize(
    ("name", "whole"), [("h100-sxm", "whole-path-h100-power"), ("h200-sxm", "whole-path-h200-power")]
)
def test_the_layers_of_a_shipped_gpu_sum_to_the_measured_path(name: str, whole: str) -> None:
    found, path = shown(name), build(Reference, library_entries("figure")[whole].document)
    weights = found.routes[0]
    assert route_energy(weights, found.prices).value == pytest.approx(path.value, rel=0.01)
    assert set(covered(weights, found.machine)) == set(path.covers)
