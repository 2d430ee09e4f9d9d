"""Where weights and KV live, and what is said where they do not fit."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from archsim.mappers.parallel import Degrees
from archsim.mappers.placement import place
from archsim.model.machine import Machine
from archsim.model.plan import Placement, PlanError
from archsim.model.trace import Resident, Role, Trace

GB = 10**9
HOMES: dict[Role, str] = {"weights": "hbm", "kv": "hbm"}
Build = Callable[..., Machine]


def residents(weights: int, kv: int) -> Trace:
    return Trace((), (Resident("weights", weights), Resident("kv", kv)), parameters=0, heads=8, kv_heads=2)


def test_everything_stands_in_its_home(machine: Build) -> None:
    placed = place(residents(3 * GB, GB), HOMES, Degrees(1), 1, machine(capacity="10 GB"))
    assert placed == (Placement("weights", "hbm", 3 * GB), Placement("kv", "hbm", GB))


def test_devices_keep_their_part_and_copies_of_kv_heads_they_share(machine: Build) -> None:
    placed = place(residents(3 * GB, GB), HOMES, Degrees(4), 1, machine(devices=4, capacity="10 GB"))
    assert placed == (Placement("weights", "hbm", 3 * GB // 4), Placement("kv", "hbm", GB // 2))


def test_what_just_fits_is_placed(machine: Build) -> None:
    assert place(residents(15 * GB, 5 * GB), HOMES, Degrees(1), 1, machine(capacity="10 GB"))
    with pytest.raises(PlanError):
        place(residents(15 * GB, 5 * GB + 1), HOMES, Degrees(1), 1, machine(capacity="10 GB"))


def test_the_refusal_says_by_how_much(machine: Build) -> None:
    with pytest.raises(PlanError) as caught:
        place(residents(30 * GB, 5 * GB), HOMES, Degrees(1), 1, machine(capacity="10 GB"))
    assert caught.value.message == (
        "the model does not fit: 30.0 GB weights + 5.0 GB kv in `hbm`, which holds 20.0 GB: 15.0 GB too much"
    )
    assert caught.value.where == ("hardware", "components", "hbm")


NARROWER, SMALLER = "of their bytes (a narrower data type)", "of the KV (a smaller batch or context)"


@pytest.mark.parametrize(
    ("weights", "kv", "ways"),
    [
        (30, 5, ["devices: 2 with tensor_parallel: 2", f"weights in 50 % {NARROWER}", "35.0 GB of capacity"]),
        (
            15,
            10,
            [
                "devices: 2 with tensor_parallel: 2",
                f"weights in 66.6 % {NARROWER}",
                f"50 % {SMALLER}",
                "25.0 GB of capacity",
            ],
        ),
        (10, 40, [f"25 % {SMALLER}", "50.0 GB of capacity"]),  # two KV heads: no number of devices keeps less than half
        (30, 30, ["devices: 8 with tensor_parallel: 8", "60.0 GB of capacity"]),
    ],
)
def test_the_refusal_says_what_would_make_it_fit(machine: Build, weights: int, kv: int, ways: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        place(residents(weights * GB, kv * GB), HOMES, Degrees(1), 1, machine(capacity="10 GB"))
    assert caught.value.help.removeprefix("what would make it fit: ").split("; or ") == ways


def test_more_devices_are_advised_only_where_a_link_can_join_them(machine: Build) -> None:
    joined = machine(capacity="10 GB")
    alone = replace(joined, components={name: joined.components[name] for name in joined.components if name != "wire"})
    with pytest.raises(PlanError) as caught:
        place(residents(30 * GB, 5 * GB), HOMES, Degrees(1), 1, alone)
    assert "devices" not in caught.value.help


def test_more_devices_as_advised_do_make_it_fit(machine: Build) -> None:
    assert place(residents(30 * GB, 5 * GB), HOMES, Degrees(2), 1, machine(devices=2, capacity="10 GB"))


def test_a_memory_without_limit_holds_anything(machine: Build) -> None:
    assert place(residents(10**6 * GB, 0), HOMES, Degrees(1), 1, machine(capacity="unlimited"))


def test_a_home_that_holds_nothing_is_refused_like_any_other(machine: Build) -> None:
    with pytest.raises(PlanError):
        place(residents(GB, 0), {"weights": "sm", "kv": "hbm"}, Degrees(1), 1, machine())
