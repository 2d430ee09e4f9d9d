"""A figure says whether it was held against anything, and whether that holds for it."""

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config.shipped import shipped
from archsim.model.hardware import Evidence, Header, Validated
from archsim.model.validity import validities
from archsim.study.checking import check_hardware
from archsim.study.files import load_pair
from archsim.study.running import run

MEASURED = {"standing": "measured", "against": "a paper", "families": ("moe",), "ratio": (0.9, 1.2)}
NONE = {"standing": "none", "against": "nobody has one"}
BUILT = [name for name in shipped("hw_configs") if not name.startswith(("toy-", "ideal-", "tpu-"))]


def header(**changes: Any) -> Header:
    validated = {"machine": "small", "stack": "ideal", "time": MEASURED, "energy": NONE}
    fields = {
        "schema": "archsim.hardware/1",
        "name": "small",
        "class": "gpu",
        "boundary": "board",
        "validated": validated,
        "components": {},
        "mapper": {},
    }
    return Header.model_validate(fields | changes)


def test_what_was_measured_counts_where_it_was_measured() -> None:
    time, energy = validities(header(), "moe", edited=False)
    assert (time.standing, time.ratio) == ("measured", (0.9, 1.2))
    assert time.told == "held against measurements (a paper)"
    assert (energy.standing, energy.against) == ("none", "nobody has one")


@pytest.mark.parametrize(
    ("changes", "family", "edited", "why"),
    [
        ({"name": "large"}, "moe", False, "that is small"),
        ({"stack": "vllm-hopper"}, "moe", False, "that is with the stack ideal"),
        ({}, "moe", True, "settings of the machine were changed"),
        ({}, "ssm", False, "moe, not ssm"),
    ],
)
def test_it_does_not_count_elsewhere(changes: dict[str, Any], family: str, edited: bool, why: str) -> None:
    time, energy = validities(header(**changes), family, edited=edited)
    assert (time.standing, time.why, time.against, time.ratio) == ("outside", why, "a paper", None)
    assert time.told == f"outside of what was measured ({why}: a paper)"
    assert energy.standing == "none"


def test_prices_of_another_node_are_outside() -> None:
    assert validities(header(), "moe", edited=True, scaled=True).time.why == "its prices are scaled to another node"


def test_a_machine_that_names_no_evidence_has_none() -> None:
    assert {item.standing for item in validities(header(validated=None), "moe", edited=False)} == {"none"}


def test_a_ratio_has_its_least_first() -> None:
    with pytest.raises(ValidationError, match="the least comes first"):
        Evidence(standing="measured", against="a paper", ratio=(1.2, 0.9))


@pytest.mark.parametrize("name", BUILT)
def test_every_machine_that_ships_says_what_it_was_held_against(name: str) -> None:
    found = check_hardware(load_pair("gemv-4096", name)[1]).header
    assert isinstance(found.validated, Validated)
    derived = name.startswith("dgx-")
    assert derived or (found.validated.machine, found.validated.stack) == (found.name, found.stack)


def test_a_setting_of_the_machine_leaves_what_was_measured() -> None:
    assert not load_pair("gemv-4096", "h100-sxm", ("workload.batch=2",))[1].edited
    assert load_pair("gemv-4096", "h100-sxm", ("hardware.components.hbm.count=6",))[1].edited


def test_what_stands_around_a_machine_does_not_make_it_another() -> None:
    one = ("workload.output_tokens=1",)
    priced = run("llama-3.1-8b-decode", "h100-sxm", (*one, "hardware.site.pue=1.1")).result
    assert priced.validity == run("llama-3.1-8b-decode", "h100-sxm", one).result.validity
    other = run("llama-3.1-8b-decode", "h100-sxm", (*one, "hardware.components.hbm.count=6")).result
    assert "settings of the machine were changed" in other.validity.time.why
