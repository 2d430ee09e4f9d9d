"""What holds for every small decoder on every small machine, from the trace to the joules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archsim.components.hbm_stack import HbmStack
from archsim.components.link import Link
from archsim.components.sram import Sram
from archsim.components.tile import Tile
from archsim.engine.audit import audit
from archsim.engine.simulate import simulate
from archsim.mappers.temporal import Temporal, plan
from archsim.model.component import Component
from archsim.model.ledger import ledger
from archsim.model.limits import operator_times
from archsim.model.machine import Machine, assemble
from archsim.model.plan import Plan
from archsim.model.pricing import Joules, grouped, joules, price_list, priced
from archsim.model.run import Run
from archsim.model.stack import Stack
from archsim.model.taskgraph import PS_PER_SECOND
from archsim.model.trace import Gemm, Trace
from archsim.workloads.transformer import TransformerWorkload, trace

IDEAL: dict[str, Any] = {"name": "ideal", "source": "test"}
SOFTWARE: dict[str, Any] = {
    "name": "software",
    "source": "test",
    "gemm": {
        "launch": "2 us",
        "wave": "0.3 us",
        "tiles": [[16, 32], [64, 64]],
        "splits": [1, 2, 4],
        "split_cost": "1 us",
        "slots": 2,
        "multicast": 2,
        "efficiency": 0.8,
        "window": "unlimited",
    },
    "decode_attention": {"launch": "5 us", "wave": "1 us", "block": 16, "rows": 16, "split_cost": "30 ns"},
    "prefill_attention": {"launch": "3 us", "tile": "2 us", "rows": 16, "efficiency": 0.7},
    "vector": {"launch": "1 us"},
    "collectives": {"all_reduce": [{"up_to": "1 kB", "algorithm": "one-shot", "base": "2 us"}, {"hop": "1 us"}]},
    "step": {"base": "1 us", "per_sequence": "10 ns"},
}
ONE_KERNEL = SOFTWARE | {
    "gemm": SOFTWARE["gemm"] | {"tiles": [[16, 32]], "splits": [2]},
    "decode_attention": SOFTWARE["decode_attention"] | {"splits": False},
    "collectives": {"all_reduce": [{"hop": "1 us"}]},
}


@dataclass(frozen=True)
class Spec:
    """A machine: bytes and operations per second, and prices."""

    bandwidth: int = 200 * 10**9
    efficiency: float = 0.9
    macs: int = 10**12
    l2: int = 500 * 10**9
    read: float = 30.0
    mac: float = 1.0
    watts: float = 1.0
    devices: int = 1
    grain: int = 4096

    def machine(self) -> Machine:
        byte = {"read": f"{self.read} pJ/B", "write": f"{self.read} pJ/B"}
        static = f"{self.watts} W"
        components: dict[str, Component] = {
            "hbm": HbmStack.model_validate(
                {
                    "kind": "hbm_stack",
                    "count": 2,
                    "capacity": "1 GiB",
                    "bandwidth": f"{self.bandwidth} B/s",
                    "efficiency": self.efficiency,
                    "latency": "400 ns",
                    "static": static,
                    "energy": byte,
                }
            ),
            "l2": Sram.model_validate(
                {
                    "kind": "sram",
                    "capacity": "64 kB",
                    "bandwidth": f"{self.l2} B/s",
                    "static": static,
                    "energy": byte,
                }
            ),
            "sm": Tile.model_validate(
                {
                    "kind": "tile",
                    "count": 6,
                    "macs": {"bf16": f"{self.macs} MAC/s"},
                    "vector": "50 Gop/s",
                    "window": "32 KiB",
                    "grain": f"{self.grain} B",
                    "static": static,
                    "energy": {"mac": {"bf16": f"{self.mac} pJ/MAC"}, "vector": "5 pJ/op"},
                }
            ),
            "mem": Link.model_validate({"between": ["hbm", "l2"], "bandwidth": "unlimited", "energy": "50 pJ/B"}),
            "xbar": Link.model_validate(
                {"between": ["l2", "sm"], "count": 6, "bandwidth": "90 GB/s", "latency": "100 ns", "energy": "30 pJ/B"}
            ),
            "wire": Link.model_validate(
                {"between": ["device", "device"], "topology": "switch", "bandwidth": "50 GB/s", "energy": "90 pJ/B"}
            ),
        }
        return assemble("small", "board", self.devices, components)


@dataclass(frozen=True)
class Ask:
    """A decoder and what is asked of it; sizes in steps that eight heads divide."""

    layers: int = 2
    width: int = 1
    feed_forward: int = 3
    grouped: bool = True
    batch: int = 1
    prompt: int = 40
    outputs: int = 2
    cached: bool = True

    def trace(self) -> Trace:
        model = {
            "name": "small",
            "layers": self.layers,
            "hidden": 64 * self.width,
            "feed_forward": 64 * self.feed_forward,
            "heads": 8,
            "kv_heads": 4 if self.grouped else 8,
            "vocabulary": 256,
        }
        fields = {
            "schema": "archsim.workload/1",
            "name": "small",
            "family": "transformer",
            "model": model,
            "batch": self.batch,
            "prompt_tokens": self.prompt,
            "prompt_cached": self.cached,
            "output_tokens": self.outputs,
            "dtypes": {"weights": "bf16", "kv": "bf16", "activations": "bf16"},
        }
        return trace(TransformerWorkload.model_validate(fields))


@dataclass(frozen=True)
class Booked:
    """One trip through the corridor."""

    trace: Trace
    machine: Machine
    plan: Plan
    run: Run

    @property
    def joules(self) -> Joules:
        return joules(priced(ledger(self.run, self.machine), price_list(self.machine, "test", {})))

    def counted(self, component: str = "", action: str = "", tensor: str = "") -> int:
        wanted = (component, action, tensor)
        return sum(
            count
            for key, count in self.run.counts.items()
            if all(
                not ask or ask == got for ask, got in zip(wanted, (key.component, key.action, key.tensor), strict=True)
            )
        )


def booked(ask: Ask, spec: Spec, stack: Mapping[str, Any], **settings: Any) -> Booked:
    asked, machine = ask.trace(), spec.machine()
    mapped = plan(
        asked, machine, Temporal.model_validate({"kind": "temporal"} | settings), Stack.model_validate(stack), ask.batch
    )
    return Booked(asked, machine, mapped, simulate(mapped.graph))


asks = st.builds(
    Ask,
    layers=st.integers(1, 3),
    width=st.integers(1, 4),
    feed_forward=st.integers(1, 8),
    grouped=st.booleans(),
    batch=st.integers(1, 9),
    prompt=st.integers(1, 300),
    outputs=st.integers(1, 3),
    cached=st.booleans(),
)
rates = st.integers(10**9, 10**13)
specs = st.builds(
    Spec, bandwidth=rates, efficiency=st.floats(0.1, 1.0), macs=rates, l2=rates, devices=st.sampled_from((1, 1, 2, 4))
)
stacks = st.sampled_from((IDEAL, SOFTWARE))
# A library chooses kernels by an estimate of their time, and collectives by their size: another choice may take longer
# or shorter, or move more bytes. What is said of a part that gets faster, or of a batch that grows, holds for each.
settled = st.sampled_from((IDEAL, ONE_KERNEL))


@given(asks, specs, stacks, st.booleans())
def test_the_books_balance(ask: Ask, spec: Spec, stack: Mapping[str, Any], fusion: bool) -> None:
    found = booked(ask, spec, stack, fusion=fusion)
    assert audit(found.trace, found.plan, found.machine, found.run) == ()


@given(asks, specs, stacks)
def test_every_grouping_of_the_ledger_sums_to_the_same_joules(ask: Ask, spec: Spec, stack: Mapping[str, Any]) -> None:
    found = booked(ask, spec, stack)
    entries = priced(ledger(found.run, found.machine), price_list(found.machine, "test", {}))
    for column in ("component", "action", "operator", "phase", "tensor"):
        table = grouped(entries, attrgetter(f"row.{column}"))
        assert fsum(table.values()) == pytest.approx(found.joules.value, rel=1e-12)


@given(asks, specs, stacks)
def test_the_same_question_has_the_same_answer(ask: Ask, spec: Spec, stack: Mapping[str, Any]) -> None:
    one, other = booked(ask, spec, stack), booked(ask, spec, stack)
    assert one.run == other.run
    assert list(one.run.counts) == list(other.run.counts)
    assert one.joules == other.joules


@given(asks, specs, settled, st.sampled_from((1.01, 1.5, 2, 10)), st.sampled_from(("bandwidth", "macs", "l2")))
def test_a_faster_part_never_makes_it_slower(
    ask: Ask, spec: Spec, stack: Mapping[str, Any], factor: float, part: str
) -> None:
    faster = Spec(**{**vars(spec), part: round(getattr(spec, part) * factor)})
    before, after = booked(ask, spec, stack).run, booked(ask, faster, stack).run
    assert after.picoseconds <= before.picoseconds + rounding(before, after)


@given(asks, specs, settled, st.floats(0.1, 1.0))
def test_more_efficiency_never_makes_it_slower(
    ask: Ask, spec: Spec, stack: Mapping[str, Any], efficiency: float
) -> None:
    low, high = sorted((spec.efficiency, efficiency))
    slow, fast = (booked(ask, Spec(**{**vars(spec), "efficiency": value}), stack).run for value in (low, high))
    assert fast.picoseconds <= slow.picoseconds + rounding(slow, fast)


def rounding(*runs: Run) -> int:
    """Picoseconds that rounding of grains, fills and drains may differ by: a few for each event."""
    return 4 * max(run.events for run in runs)


@given(asks, specs, stacks)
def test_no_run_beats_the_roofline_of_what_was_mapped(ask: Ask, spec: Spec, stack: Mapping[str, Any]) -> None:
    found = booked(ask, spec, stack)
    for name, bound in bounds(found):
        assert found.run.picoseconds >= bound, name
    for line in operator_times(found.plan.graph, found.run, found.machine):
        assert line.bound_s <= line.time_s * (1 + 1e-12)


def bounds(found: Booked) -> Iterator[tuple[str, Fraction]]:
    """Picoseconds of the booked traffic on each port at its peak, all instances at work; a link has two ways."""
    machine, sums = found.machine, dict[tuple[str, str], Fraction]()
    for key, count in found.run.counts.items():
        action = machine.actions[key.component][key.action]
        rate = action.peak or action.rate
        if rate is not None:
            ways = 2 if key.action == "move" else 1
            time = Fraction(count * PS_PER_SECOND, machine.instances(key.component) * rate * ways)
            sums[key.component, action.port] = sums.get((key.component, action.port), Fraction(0)) + time
    return iter((f"{component} {port}", time) for (component, port), time in sums.items())


@given(asks, specs, stacks, st.sampled_from((2.0, 4.0, 0.5)))
def test_energy_is_linear_in_a_price(ask: Ask, spec: Spec, stack: Mapping[str, Any], factor: float) -> None:
    def with_read(price: float) -> float:
        return booked(ask, Spec(**{**vars(spec), "read": price}), stack).joules.value

    free, once, more = with_read(0.0), with_read(16.0), with_read(16.0 * factor)
    assert more - free == pytest.approx(factor * (once - free), rel=1e-9)


@given(asks, specs, stacks, st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_new_prices_for_an_old_run_are_a_new_run(
    ask: Ask, spec: Spec, stack: Mapping[str, Any], read: float, mac: float, watts: float
) -> None:
    assume(watts > 0)
    other = Spec(**{**vars(spec), "read": round(read, 3), "mac": round(mac, 3), "watts": round(watts + 0.001, 3)})
    run, again = booked(ask, spec, stack).run, booked(ask, other, stack)
    assert run == again.run
    machine = other.machine()
    assert joules(priced(ledger(run, machine), price_list(machine, "test", {}))) == again.joules


@given(asks, specs, settled, st.integers(1, 8))
def test_more_sequences_never_take_less_energy(ask: Ask, spec: Spec, stack: Mapping[str, Any], more: int) -> None:
    larger, fine = Ask(**{**vars(ask), "batch": ask.batch + more}), Spec(**{**vars(spec), "grain": 1})
    # With coarse grains more bytes can mean one grain more, whose first and last are then shorter: less static energy.
    # Of grains as fine as a byte, and of shares that are rounded up, less than 0.1 % is left.
    assert booked(larger, fine, stack).joules.value >= 0.999 * booked(ask, fine, stack).joules.value


@given(asks, specs, stacks)
def test_devices_share_macs_and_weights_and_none_is_lost(ask: Ask, spec: Spec, stack: Mapping[str, Any]) -> None:
    alone = booked(ask, Spec(**{**vars(spec), "devices": 1}), stack)
    matrices = {operator.name for operator, _, _ in alone.trace.executions() if isinstance(operator.shape, Gemm)}
    for devices in (2, 4):
        together = booked(ask, Spec(**{**vars(spec), "devices": devices}), stack)
        assert together.counted(action="mac_bf16") == alone.counted(action="mac_bf16")
        assert together.counted("hbm", "read", "kv") == alone.counted("hbm", "read", "kv")
        assert _read(together, matrices) == _read(alone, matrices)


def _read(found: Booked, operators: set[str]) -> int:
    counts = found.run.counts.items()
    place = ("hbm", "read", "weights")
    return sum(n for key, n in counts if (key.component, key.action, key.tensor) == place and key.operator in operators)


@given(asks, specs, stacks)
def test_fusion_adds_no_byte_anywhere(ask: Ask, spec: Spec, stack: Mapping[str, Any]) -> None:
    apart, joined = (booked(ask, spec, stack, fusion=fusion) for fusion in (False, True))
    for name in ("hbm", "l2", "mem", "xbar", "wire"):
        assert joined.counted(name) <= apart.counted(name)
    done, done_apart = (found.counted("sm") - found.counted("sm", "active") for found in (joined, apart))
    assert done == done_apart  # time at work is shorter: fewer launches


@given(asks, specs)
def test_without_software_macs_and_bytes_are_those_of_the_trace(ask: Ask, spec: Spec) -> None:
    found = booked(ask, Spec(**{**vars(spec), "devices": 1}), IDEAL)
    executions = list(found.trace.executions())
    assert found.counted(action="mac_bf16") == sum(operator.macs * times for operator, _, times in executions)
    for role in ("weights", "kv"):
        asked = sum(t.bytes * times for operator, _, times in executions for t in operator.reads if t.role == role)
        assert found.counted("hbm", "read", role) == asked
