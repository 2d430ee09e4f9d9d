"""What a price stands on once a machine states another than the library entry that it names."""

import pytest

from archsim.study.running import run

STATED = "{value: 20 pJ/B, low: 10 pJ/B, high: 30 pJ/B, boundary: board, grade: assumed, source: a test}"
AS_THE_ENTRY_HAS_IT = "{value: 6.4 pJ/B, low: 6.0 pJ/B, high: 6.8 pJ/B}"


def figures(*sets: str) -> dict[tuple[str, str], str]:
    """The figure that each price of the board's memory and crossbar stands on, by component and action."""
    found = run("llama-3.1-8b-decode", "h100-sxm", ("workload.output_tokens=1", *sets)).result.constants.figures
    return {(item.component, item.action): item.figure for item in found}


def test_a_price_as_its_entry_has_it_moves_with_the_entry() -> None:
    found = figures()
    assert found["xbar", "move"] == "gpu-xbar-4n"


@pytest.mark.parametrize("stated", [f"hardware.links.xbar.energy={STATED}", "hardware.links.xbar.energy.low=1 pJ/B"])
def test_a_price_stated_beside_its_entry_stands_on_its_own_numbers(stated: str) -> None:
    assert "gpu-xbar-4n" not in figures(stated).values()


def test_the_other_prices_of_the_entry_stay_with_it() -> None:
    found = figures(f"hardware.components.sm.energy.mac.bf16={STATED.replace('pJ/B', 'pJ/MAC')}")
    assert [figure for (name, _), figure in found.items() if name == "sm" and figure == "tensor-core-4n"]
