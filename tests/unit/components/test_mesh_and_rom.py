"""A mesh counts hops; hard-wired weights are read by rows and priced once."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.components.mesh import Mesh
from archsim.components.weight_rom import WeightRom


def mesh(**fields: Any) -> Mesh:
    given = {"kind": "mesh", "shape": [3, 5], "bandwidth": "4 GB/s", "hop": "1 ns", "static": "0 W", "energy": "1 pJ/B"}
    return Mesh.model_validate(given | fields)


def rom(energy: dict[str, Any]) -> WeightRom:
    given = {"kind": "weight_rom", "rows": 256, "row": "8 B", "clock": "2 GHz", "static": "1 uW", "energy": energy}
    return WeightRom.model_validate(given)


def test_a_hop_takes_the_rate_of_one_link_and_peaks_at_all_of_them() -> None:
    hop = mesh().actions()["hop"]
    links = 2 * (3 * 4 + 2 * 5)
    assert (hop.rate, hop.peak, hop.latency) == (4 * 10**9, links * 4 * 10**9, 1000)


def test_a_single_router_has_no_links() -> None:
    assert mesh(shape=[1, 1]).links == 0


@pytest.mark.parametrize("fields", [{"hop": "0 ns"}, {"bandwidth": "unlimited"}, {"shape": [3]}])
def test_a_mesh_has_distances_and_limits(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mesh(**fields)


def test_an_array_is_read_in_as_many_cycles_as_it_has_rows() -> None:
    array = rom({"read": "0.1 pJ/B"})
    read = array.actions()["read"]
    assert read.rate is not None
    assert array.capacity_bytes is not None
    assert array.capacity_bytes / read.rate == 256 / 2e9


def test_a_price_of_macs_makes_the_array_multiply() -> None:
    actions = rom({"mac": {"int8": "1 pJ/MAC"}}).actions()
    assert set(actions) == {"read", "mac_int8"}
    assert actions["read"].price.high == 0
    assert set(rom({"read": "0.1 pJ/B"}).actions()) == {"read"}
