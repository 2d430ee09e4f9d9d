"""The books: integer rows of what was done and of time, and joules as counts times prices."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from math import fsum, prod

import pytest

from archsim.model.ledger import Row, ledger
from archsim.model.machine import Machine
from archsim.model.pricing import Priced, grouped, joules, price_list, priced, watts
from archsim.model.run import STATIC, CountKey, Run, Span
from archsim.model.taskgraph import TICKS, Port

Build = Callable[..., Machine]
RUN = Run(
    picoseconds=1_000,
    counts={
        CountKey("hbm", "read", "mlp", "decode", "weights"): 700,
        CountKey("hbm", "read", "attention", "decode", "kv"): 200,
        CountKey("hbm", "write", "attention", "decode", "kv"): 10,
        CountKey("bus", "move", "mlp", "decode", "weights"): 700,
        CountKey("sm", "mac_bf16", "mlp", "decode", ""): 350,
        CountKey("sm", "vector", "mlp", "prefill", ""): 0,
    },
    held={Span("mlp", "decode"): 600, Span("attention", "decode"): 300, Span(STATIC, ""): 100},
    busy={Port("hbm", "io"): 500 * TICKS},
    marks=(),
    events=1,
    fidelity="flow",
)
COLUMNS = [field.name for field in fields(Row) if field.name not in ("count", "unit")]


def entries(machine: Machine, run: Run = RUN) -> tuple[Priced, ...]:
    return priced(ledger(run, machine), price_list(machine, "a test", {}))


def test_what_was_done_stands_in_the_ledger_with_its_unit(machine: Build) -> None:
    rows = {
        (row.component, row.action, row.operator, row.tensor): (row.count, row.unit) for row in ledger(RUN, machine())
    }
    assert rows["hbm", "read", "mlp", "weights"] == (700, "B")
    assert rows["sm", "mac_bf16", "mlp", ""] == (350, "MAC")


def test_a_count_of_nothing_is_no_row(machine: Build) -> None:
    assert all(row.count for row in ledger(RUN, machine()))


def test_time_is_booked_to_whoever_held_it_for_every_instance_and_device(machine: Build) -> None:
    rows = [row for row in ledger(RUN, machine(devices=3)) if row.action == "static"]
    assert {(row.component, row.operator): row.count for row in rows} == {
        ("hbm", "mlp"): 6 * 600,
        ("hbm", "attention"): 6 * 300,
        ("hbm", STATIC): 6 * 100,
        ("sm", "mlp"): 12 * 600,
        ("sm", "attention"): 12 * 300,
        ("sm", STATIC): 12 * 100,
    }
    assert {row.unit for row in rows} == {"ps"}


def test_a_part_without_static_power_has_no_rows_of_time(machine: Build) -> None:
    assert "bus" not in {row.component for row in ledger(RUN, machine()) if row.action == "static"}


def test_edges_of_a_topology_are_booked_to_their_group(machine: Build) -> None:
    mesh = machine(bus={"between": ["sm", "sm"], "topology": "line"})
    moved = {CountKey(f"bus[{i}-{i + 1}]", "move", "o", "decode", "x"): 10 for i in range(3)}
    run = Run(0, moved, {}, {}, (), 0, "flow")
    assert [(row.component, row.count) for row in ledger(run, mesh)] == [("bus", 30)]


def test_joules_are_counts_times_prices(machine: Build) -> None:
    done = 900 * 30 + 10 * 40 + 700 * 5 + 350 * 1
    static = 1_000 * (2 * 1.0 + 4 * 0.25)
    assert joules(entries(machine())).value == pytest.approx((done + static) / 1e12, rel=1e-12)


def test_the_interval_has_all_prices_low_or_all_high(machine: Build) -> None:
    exact = 10 * 40 + 700 * 5 + 350 * 1 + 1_000 * 4 * 0.25
    found = joules(entries(machine()))
    assert found.low == pytest.approx((exact + 900 * 20 + 1_000 * 2 * 0.5) / 1e12, rel=1e-12)
    assert found.high == pytest.approx((exact + 900 * 45 + 1_000 * 2 * 2.0) / 1e12, rel=1e-12)


def test_what_time_pays_draws_the_same_however_long_the_work_took(machine: Build) -> None:
    done, static = 900 * 30 + 10 * 40 + 700 * 5 + 350 * 1, 2 * 1.0 + 4 * 0.25
    taken = watts(entries(machine()), ran=1_000e-12, measured=4_000e-12)
    assert taken == pytest.approx(static + done / 4_000, rel=1e-12)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_table_sums_to_the_total(machine: Build, column: str) -> None:
    found = entries(machine())
    table = grouped(found, lambda entry: str(getattr(entry.row, column)))
    assert fsum(table.values()) == pytest.approx(joules(found).value, rel=1e-12)


def test_a_group_holds_its_rows_only(machine: Build) -> None:
    table = grouped(entries(machine()), lambda entry: (entry.row.component, entry.row.action))
    assert table["hbm", "read"] == pytest.approx(900 * 30 / 1e12)
    assert table["sm", "static"] == pytest.approx(1_000 * 4 * 0.25 / 1e12)


def test_other_prices_need_no_other_run(machine: Build) -> None:
    dear = machine(hbm={"energy": {"read": "60 pJ/B", "write": "40 pJ/B"}})
    assert ledger(RUN, dear) == ledger(RUN, machine())
    assert joules(entries(dear)).value - joules(entries(machine())).value == pytest.approx(900 * 30 / 1e12)


def test_double_the_run_costs_double(machine: Build) -> None:
    twice = Run(
        2 * RUN.picoseconds,
        {key: 2 * count for key, count in RUN.counts.items()},
        {span: 2 * held for span, held in RUN.held.items()},
        RUN.busy,
        (),
        1,
        "flow",
    )
    assert joules(entries(machine(), twice)).value == 2 * joules(entries(machine())).value


def test_rows_of_two_orders_of_events_are_the_same_books(machine: Build) -> None:
    backwards = Run(
        1_000, dict(reversed([*RUN.counts.items()])), dict(reversed([*RUN.held.items()])), {}, (), 1, "flow"
    )
    assert Counter(ledger(RUN, machine())) == Counter(ledger(backwards, machine()))
    assert joules(entries(machine())) == joules(entries(machine(), backwards))


def test_every_action_has_a_price_and_static_power_is_one(machine: Build) -> None:
    prices = price_list(machine(), "a test", {})
    assert set(prices) == {
        ("hbm", "read"),
        ("hbm", "write"),
        ("hbm", "static"),
        ("bus", "move"),
        ("bus", "static"),
        ("sm", "mac_bf16"),
        ("sm", "vector"),
        ("sm", "active"),
        ("sm", "static"),
    }


def test_a_price_without_a_boundary_has_the_machines(machine: Build) -> None:
    prices = price_list(machine(bus={"energy": {"value": "5 pJ/B", "boundary": "board"}}), "a test", {})
    assert (prices["bus", "move"].boundary, prices["hbm", "read"].boundary) == ("board", "chip")


def test_a_price_names_its_own_source_or_the_stated_one_or_the_file(machine: Build) -> None:
    sources = {
        "components.hbm.energy.read": "table 2",
        "components.sm.energy.mac.bf16": "table 3",
        "links.bus.energy": "t4",
    }
    prices = price_list(machine(sm={"static": {"value": "1 W", "source": "idle"}}), "the file", sources)
    said = {place: price.source for place, price in prices.items()}
    assert said["hbm", "read"] == "table 2"
    assert said["sm", "mac_bf16"] == "table 3"
    assert said["bus", "move"] == "t4"
    assert said["sm", "static"] == "idle"
    assert said["hbm", "write"] == "the file"


def test_a_watt_for_a_picosecond_is_a_picojoule(machine: Build) -> None:
    static = [entry for entry in entries(machine()) if entry.row.action == "static"]
    for entry in static:
        assert entry.picojoules == prod((entry.row.count, entry.price.value))
