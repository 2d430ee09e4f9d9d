"""A compute tile: rates by data type, ports, and the cycles of a systolic array against SCALE-Sim's closed form."""

from itertools import product
from typing import Any, Literal

import pytest

from archsim.components.tile import Array, Tile


def tile(**fields: Any) -> Tile:
    given = {
        "kind": "tile",
        "macs": {"bf16": "3.75 TMAC/s", "fp8": "7.5 TMAC/s"},
        "vector": "224.64 Gop/s",
        "window": "32 KiB",
        "grain": "16 KiB",
        "static": "0.8 W",
        "energy": {"mac": {"bf16": "1.04 pJ/MAC", "fp8": "0.56 pJ/MAC"}, "vector": "5 pJ/op"},
    }
    return Tile.model_validate(given | fields)


def test_each_data_type_has_its_rate_and_price() -> None:
    actions = tile().actions()
    rates = {name: (action.rate, action.price.value, action.unit) for name, action in actions.items()}
    assert rates == {
        "mac_bf16": (3_750_000_000_000, 1.04, "MAC"),
        "mac_fp8": (7_500_000_000_000, 0.56, "MAC"),
        "vector": (224_640_000_000, 5.0, "op"),
        "active": (None, 0.0, "ps"),
    }


def test_time_at_work_costs_what_is_stated() -> None:
    energy = {"mac": {"bf16": "1.04 pJ/MAC"}, "vector": "5 pJ/op", "active": "1.2 W"}
    assert tile(energy=energy).actions()["active"].price.value == 1.2


def test_macs_of_all_types_share_a_port_beside_the_vector_unit() -> None:
    ports = {name: action.port for name, action in tile().actions().items()}
    assert ports == {"mac_bf16": "mac", "mac_fp8": "mac", "vector": "vector", "active": "active"}


def test_a_type_without_a_price_is_not_offered() -> None:
    energy = {"mac": {"bf16": "1.04 pJ/MAC"}, "vector": "5 pJ/op"}
    assert "mac_fp8" not in tile(energy=energy).actions()


def test_work_goes_to_any_idle_tile() -> None:
    assert tile().pooled
    assert tile().capacity_bytes == 0


def test_window_and_grain_are_what_a_requester_can_have_outstanding() -> None:
    assert (tile().window_bytes, tile().grain_bytes) == (32 * 1024, 16 * 1024)


def test_without_an_array_any_shape_keeps_all_macs_at_work() -> None:
    assert tile().issued(1, 4096, 4096) is None


def test_a_gemv_on_a_weight_stationary_array_takes_scale_sims_cycles() -> None:
    # SCALE-Sim 3.0.0 counts cycles from 0, so one less: 1024 folds x 383 - 1 = 392,191.
    array = Array(rows=128, cols=128, stationary="weights")
    assert array.cycles(1, 4096, 4096) - 1 == 392_191
    assert array.cycles(1, 4096, 4096) == 32 * 32 * (2 * 128 + 128 + 1 - 2)


def simulated_fold(rows: int, cols: int, streamed: int) -> int:
    """Cycles of one fold, cell by cell: load the stationary rows, then stream values in, skewed by a cycle a row."""
    last_in_cell = {(r, c): rows + r + c + streamed for r, c in product(range(rows), range(cols))}
    return max(last_in_cell.values())


@pytest.mark.parametrize(("rows", "cols", "streamed"), [(4, 4, 1), (8, 2, 5), (2, 8, 5), (1, 1, 1), (16, 4, 100)])
def test_a_fold_ends_when_its_last_cell_has_its_last_value(rows: int, cols: int, streamed: int) -> None:
    array = Array(rows=rows, cols=cols, stationary="weights")
    assert array.cycles(streamed, cols, rows) == simulated_fold(rows, cols, streamed)


@pytest.mark.parametrize(
    ("stationary", "folds", "streamed"), [("weights", 3 * 2, 10), ("inputs", 3 * 3, 7), ("outputs", 3 * 2, 11)]
)
def test_what_stays_in_the_cells_decides_the_folds(
    stationary: Literal["weights", "inputs", "outputs"], folds: int, streamed: int
) -> None:
    # m = 10, n = 7, k = 11 on 4 x 4: k takes 3 folds, m 3, n 2
    array = Array(rows=4, cols=4, stationary=stationary)
    assert array.cycles(10, 7, 11) == folds * (2 * 4 + 4 + streamed - 2)


def test_idle_cells_are_issued_too() -> None:
    issued = tile(array={"rows": 4, "cols": 4, "stationary": "weights"}).issued(10, 7, 11)
    assert issued == 16 * 6 * (8 + 4 + 10 - 2)
