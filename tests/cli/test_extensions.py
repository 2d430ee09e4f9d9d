"""A package of somebody else adds a component, a workload family, a mapper and a report, each with one module."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

METADATA = "Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n"
ENTRY_POINTS = """\
[archsim.components]
reram = guest.reram
[archsim.workloads]
chain = guest.chain
[archsim.mappers]
patient = guest.patient
[archsim.reports]
one-line = guest.one_line
"""

RERAM = '''\
"""A resistive memory: reads are cheap, writes are dear."""

from typing import ClassVar, Literal

from archsim.config.units import Bandwidth, Bytes
from archsim.model.component import Action, Component, EnergyKind
from archsim.model.price import BytePrice

KIND = "reram"


class Reram(Component):
    """One array."""

    energy_kind: ClassVar[EnergyKind] = "other"

    kind: Literal["reram"]
    capacity: Bytes
    bandwidth: Bandwidth
    read: BytePrice
    write: BytePrice

    def actions(self):
        return {
            "read": Action("io", self.bandwidth, 0, "B", self.read),
            "write": Action("io", self.bandwidth, 0, "B", self.write),
        }

    @property
    def capacity_bytes(self):
        return self.capacity


SPEC = Reram
'''

CHAIN = '''\
"""Square matrices one after the other."""

from typing import Literal

from pydantic import PositiveInt

from archsim.model.trace import Block, Gemm, Operator, Resident, Tensor, Trace
from archsim.model.workload import Workload

KIND = "chain"


class Chain(Workload):
    """`links` matrices of `width` x `width`."""

    family: Literal["chain"]
    links: PositiveInt
    width: PositiveInt


SPEC = Chain


def trace(spec):
    width, batch, dtype = spec.width, spec.batch, spec.dtypes.activations
    values = lambda name: Tensor(name, "activations", batch * width, dtype, spec.dtypes.weights.bytes(batch, width))
    size = spec.dtypes.weights.bytes(width, width)
    weights = Tensor("chain.weight", "weights", width * width, spec.dtypes.weights.dtype, size)
    shape = Gemm(batch, width, width)
    operator = Operator("chain", (values("x"), weights), (values("x"),), batch * width**2, dtype, shape=shape)
    block = Block((operator,), "decode", spec.links, closes="token")
    return Trace((block,) * spec.output_tokens, (Resident("weights", spec.links * size),), spec.links * width**2)
'''

PATIENT = '''\
"""Temporal, with a pause before each kernel."""

from dataclasses import replace
from typing import Literal

from archsim.config.units import Picoseconds
from archsim.mappers import temporal

KIND = "patient"


class Patient(temporal.Temporal):
    """The settings of `temporal`, and a pause."""

    kind: Literal["patient"]
    pause: Picoseconds = 0


SPEC = Patient


def plan(trace, machine, spec, stack, batch):
    mapped = temporal.plan(trace, machine, spec, stack, batch)
    segments = tuple(
        replace(segment, tasks=tuple(replace(task, launch=task.launch + spec.pause) for task in segment.tasks))
        for segment in mapped.graph.segments
    )
    return replace(mapped, graph=replace(mapped.graph, segments=segments))
'''

ONE_LINE = '''\
"""A result in one line of JSON."""

import json

KIND = "one-line"
FILENAME = "line.json"


def render(result):
    reads = {entry.row.component: entry.row.count for entry in result.entries if entry.row.action == "read"}
    return json.dumps({"seconds": result.latency.total_s, "kinds": result.by_kind(), "reads": reads})
'''

MACHINE = """\
schema: archsim.hardware/1
name: guest machine
class: reference
boundary: chip
components:
  store: {kind: reram, capacity: 1 MiB, bandwidth: 100 GB/s, read: 1 pJ/B, write: 50 pJ/B, static: 0 W}
  mac:
    kind: tile
    macs: {int8: unlimited}
    vector: unlimited
    window: 32 KiB
    grain: 16 KiB
    static: 0 W
    energy: {mac: {int8: 0 pJ/MAC}, vector: 0 pJ/op}
links:
  wire: {between: [store, mac], bandwidth: unlimited, energy: 0 pJ/B}
mapper: {kind: patient, pause: 1 ms}
"""

WORKLOAD = """\
schema: archsim.workload/1
name: guest workload
family: chain
links: 3
width: 100
dtypes: {weights: int8, kv: int8, activations: int8}
"""


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    """A folder with the package `guest`, installed, and with files that name its kinds."""
    package, info = tmp_path / "guest", tmp_path / "guest-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    modules = {"__init__": "", "reram": RERAM, "chain": CHAIN, "patient": PATIENT, "one_line": ONE_LINE}
    for name, source in modules.items():
        (package / f"{name}.py").write_text(source)
    (tmp_path / "machine.yaml").write_text(MACHINE)
    (tmp_path / "workload.yaml").write_text(WORKLOAD)
    return tmp_path


def archsim(guest: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from archsim.cli import main; main()", *arguments],
        cwd=guest,
        env={**os.environ, "PYTHONPATH": str(guest)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_run_uses_all_four(guest: Path) -> None:
    done = archsim(guest, "run", "workload.yaml", "machine.yaml", "--format", "one-line", "-o", "out")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    moved = 3 * (100 * 100 + 2 * 100)  # weights, inputs and outputs through one port
    assert line["seconds"] >= 3e-3 + moved / 100e9  # three pauses, three matrices
    assert line["seconds"] < 3.01e-3
    assert line["kinds"]["other"] == pytest.approx((3 * (100 * 100 + 100) * 1 + 3 * 100 * 50) * 1e-12)
    assert (guest / "out" / "line.json").read_text() == done.stdout.rstrip("\n")
    assert "reram" in (guest / "out" / "resolved.yaml").read_text()


def test_they_are_checked_and_listed_like_the_others(guest: Path) -> None:
    assert archsim(guest, "check", "workload.yaml", "machine.yaml").returncode == 0
    assert "A resistive memory" in archsim(guest, "list", "components").stdout
    assert "Temporal, with a pause" in archsim(guest, "list", "mappers").stdout


def test_their_values_get_diagnostics_like_the_others(guest: Path) -> None:
    (guest / "machine.yaml").write_text(MACHINE.replace("100 GB/s", "100 GB").replace("kind: reram", "kind: rerum"))
    assert "did you mean `reram`?" in archsim(guest, "check", "machine.yaml").stderr
    (guest / "machine.yaml").write_text(MACHINE.replace("100 GB/s", "100 GB").replace("1 ms", "1"))
    done = archsim(guest, "run", "workload.yaml", "machine.yaml")
    assert done.returncode == 2
    assert "machine.yaml:6:52" in done.stderr
    assert "machine.yaml:17:32" in done.stderr


def test_a_package_that_cannot_be_loaded_is_named(guest: Path) -> None:
    (guest / "guest" / "reram.py").write_text("import no_such_module\n")
    done = archsim(guest, "run", "workload.yaml", "machine.yaml")
    assert done.returncode == 2
    assert "cannot load `guest.reram`" in done.stderr
    assert "no_such_module" in done.stderr
