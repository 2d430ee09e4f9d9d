"""Whatever stands at whatever place of a file: it runs, or a finding says where it is wrong; it is never a defect."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

DATA = Path(__file__).parent / "data"
ABSENT = {
    "hardware": (
        "tdp native_dtypes sources mapper.activations mapper.fusion mapper.access mapper.access.kv.path "
        "mapper.access.inputs.fan mapper.access.weights.reuse mapper.access.outputs.reduction "
        "components.hbm.library components.hbm.efficiency components.sm.array components.l2.ports "
        "links.mem.topology links.ring.shape links.mem.kind links.mem.count"
    ),
    "workload": "without operators times dtypes.weights.group model.sliding_window model.gated model.qk_norm",
}


def read(name: str) -> Any:
    return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))


def places(node: Any, above: str) -> Iterator[str]:
    """The paths of all values of a document, and of some that it could have."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, below in items:
        yield f"{above}.{key}"
        yield from places(below, f"{above}.{key}")


@pytest.mark.parametrize("value", ["~", "x", "0", "1.5", "-1", "[]", "{x: 1}", "1e300", "1 B", "mesh"])
def test_no_value_at_any_place_is_a_defect(cli: Callable[..., Result], small: Path, value: str) -> None:
    workload = read("workload.yaml") | {"model": read("model.yaml")}
    (small / "workload.yaml").write_text(yaml.safe_dump(workload), encoding="utf-8")
    written = [*places(workload, "workload"), *places(read("machine.yaml"), "hardware")]
    more = [f"{prefix}.{path}" for prefix, paths in ABSENT.items() for path in paths.split()]
    for path in [*written, *more]:
        done = cli("run", small / "workload.yaml", small / "machine.yaml", "--set", f"{path}={value}")
        assert done.exit_code in (0, 2), f"{path}={value}\n{done.stderr}"
        assert done.exit_code == 0 or (" --> " in done.stderr and not done.stdout), f"{path}={value}\n{done.stderr}"
