"""A machine whose links do not go with its components is refused with a finding, never with a crash."""

from pathlib import Path

import pytest

from archsim.config.diagnostics import InputError
from archsim.study.running import run

MESH = """
schema: archsim.hardware/1
extends: toy-xm2
name: mesh
components:
  mac: {{count: {count}}}
links:
  noc: {{between: [mac, mac], topology: mesh, {shape}bandwidth: 1 GB/s, energy: 1 pJ/B}}
"""


@pytest.mark.parametrize(("count", "shape"), [(6, ""), (6, "shape: [2, 2], "), (4, "shape: [2, 3], ")])
def test_a_mesh_whose_shape_is_not_its_count_is_refused(tmp_path: Path, count: int, shape: str) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(MESH.format(count=count, shape=shape), encoding="utf-8")
    with pytest.raises(InputError):
        run("gemv-4096", str(path))


def test_instances_of_a_topology_are_reached_from_the_group_beside_them_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(MESH.format(count=4, shape=""), encoding="utf-8")
    try:
        booked = run("gemv-4096", str(path)).result
    except InputError:
        return
    assert sum(entry.row.count for entry in booked.entries if entry.row.unit == "MAC") == 4096**2
