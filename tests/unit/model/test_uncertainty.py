"""How sure an energy is: triangles through low, value and high, and one draw for one figure."""

from collections.abc import Callable
from math import fsum, sqrt

import numpy as np
import pytest

from archsim.model.ledger import ledger
from archsim.model.machine import Machine
from archsim.model.pricing import price_list, priced
from archsim.model.run import CountKey, Run, Span
from archsim.model.uncertainty import (
    Constant,
    Constants,
    Stake,
    Step,
    band,
    constants,
    dominant,
    odds,
    ratio_band,
)

Build = Callable[..., Machine]
RUN = Run(
    picoseconds=1_000,
    counts={
        CountKey("hbm", "read", "mlp", "decode", "weights"): 700,
        CountKey("hbm", "write", "mlp", "decode", "kv"): 300,
        CountKey("bus", "move", "mlp", "decode", "weights"): 700,
    },
    held={Span("mlp", "decode"): 1_000},
    busy={},
    marks=(),
    events=1,
    fidelity="flow",
)
RANGED = {"value": "30 pJ/B", "low": "20 pJ/B", "high": "45 pJ/B"}


def on(machine: Machine) -> Constants:
    return constants(priced(ledger(RUN, machine), price_list(machine, "a test", {})), tokens=1)


def of(*figures: Constant, around: tuple[Step, ...] = ()) -> Constants:
    return Constants(figures, around)


def constant(figure: str, value: float, low: float, high: float) -> Constant:
    return Constant(figure, figure, "move", "", (Stake(value, low, high),))


def exact(joules: float) -> Constant:
    return constant("", joules, joules, joules)


def test_the_band_of_one_price_is_that_of_its_triangle() -> None:
    low, value, high = 20.0, 30.0, 45.0
    expected = (low + sqrt(0.05 * (high - low) * (value - low)), high - sqrt(0.05 * (high - low) * (high - value)))
    assert band(of(constant("a", value, low, high))) == pytest.approx(expected, rel=1e-4)


def test_what_is_exact_has_no_band() -> None:
    assert band(of(exact(2.0))) == (2.0, 2.0)


def test_every_quantile_lies_between_low_and_high() -> None:
    stake = Stake(30.0, 20.0, 45.0)
    quantiles = [stake.at(share) for share in (0.0, 0.2, 0.4, 0.8, 1.0)]
    assert quantiles == sorted(quantiles)
    assert (quantiles[0], quantiles[2], quantiles[-1]) == pytest.approx((20.0, 30.0, 45.0))


@pytest.mark.parametrize(("value", "low", "high"), [(30.0, 20.0, 45.0), (1.0, 1.0, 3.0), (0.0, 0.0, 0.4)])
def test_the_variance_is_that_of_a_triangle(value: float, low: float, high: float) -> None:
    expected = (low**2 + value**2 + high**2 - low * value - low * high - value * high) / 18
    one, half = constant("a", value, low, high), Stake(value / 2, low / 2, high / 2)
    assert one.variance == pytest.approx(expected)
    assert Constant("a", "a", "move", "", (half, half)).variance == pytest.approx(expected, rel=1e-3)


def test_variances_of_unlike_figures_add_up_in_the_draws() -> None:
    found = [constant("a", 30.0, 20.0, 45.0), constant("b", 10.0, 1.0, 12.0)]
    wide, narrow = band(of(*found)), [band(of(item)) for item in found]
    apart = sqrt(fsum((tail.p95 - tail.p05) ** 2 for tail in narrow))
    assert wide.p95 - wide.p05 == pytest.approx(apart, rel=0.03)


def test_prices_with_the_same_numbers_are_one_figure(machine: Build) -> None:
    shared = next(item for item in on(machine(bus={"energy": RANGED})).figures if item.action == "read")
    whole = fsum(stake.value for stake in shared.stakes)
    assert whole == pytest.approx((700 + 700) * 30e-12)
    assert band(of(shared)) == pytest.approx(band(of(constant("x", whole, whole * 20 / 30, whole * 45 / 30))), rel=1e-4)


def test_prices_of_one_library_entry_move_together_and_others_do_not(machine: Build) -> None:
    energy = {"read": RANGED, "write": {"value": "40 pJ/B", "low": "10 pJ/B", "high": "60 pJ/B"}}
    taken = {action: price | {"entry": "hbm3"} for action, price in energy.items()}
    apart = [item for item in on(machine(hbm={"energy": energy, "library": "hbm3"})).figures if item.figure]
    named = [item for item in on(machine(hbm={"energy": taken})).figures if item.figure]
    assert [len(item.stakes) for item in apart] == [1, 1, 1]
    assert [(item.figure == "hbm3", len(item.stakes)) for item in named] == [(True, 2), (False, 1)]


def test_a_ratio_to_itself_is_exactly_one() -> None:
    found = of(constant("a", 30.0, 20.0, 45.0), exact(5.0))
    assert ratio_band(found, found) == (1.0, 1.0)


def test_figures_of_both_cancel_in_a_ratio() -> None:
    shared, alone = constant("a", 30.0, 3.0, 90.0), constant("b", 1.0, 0.5, 1.5)
    together = ratio_band(of(shared, alone), of(shared, exact(1.0)))
    apart = ratio_band(of(shared, alone), of(constant("c", 30.0, 3.0, 90.0), exact(1.0)))
    assert 0.95 < together.p05 < 1 < together.p95 < 1.05
    assert apart.p95 / apart.p05 > 10


def test_draws_are_the_same_in_any_company_and_order() -> None:
    a, b, c = constant("a", 30.0, 20.0, 45.0), constant("b", 10.0, 1.0, 12.0), constant("c", 5.0, 1.0, 9.0)
    assert band(of(a, b)) == pytest.approx(band(of(b, a)), rel=1e-12)
    assert ratio_band(of(a, c), of(c)) == pytest.approx(ratio_band(of(c, a), of(c)), rel=1e-12)


def test_odds_are_those_of_two_triangles() -> None:
    one, same = constant("a", 1.0, 0.0, 2.0), constant("b", 1.0, 0.0, 2.0)
    assert odds(of(one), of(same)) == pytest.approx(0.5, abs=0.01)
    assert odds(of(one), of(exact(1.5))) == pytest.approx(0.875, abs=1e-3)
    assert odds(of(exact(1.0)), of(exact(1.0))) == 0.0


def test_nobody_needs_less_where_sums_differ_by_their_order() -> None:
    parts = (constant("a", 0.1, 0.0, 0.4), constant("b", 0.2, 0.1, 0.7), constant("c", 0.3, 0.0, 0.3))
    assert odds(of(*parts), of(*reversed(parts))) == odds(of(*reversed(parts)), of(*parts)) == 0.0


def test_the_dominant_constants_have_their_shares_of_the_variance() -> None:
    found = [exact(100.0), constant("a", 2.0, 0.0, 4.0), constant("b", 1.0, 0.0, 2.0), constant("c", 3.0, 0.0, 6.0)]
    ranked = dominant(of(*found), most=2)
    assert [item.component for item in ranked] == ["c", "a"]
    assert [item.share for item in ranked] == pytest.approx([9 / 14, 4 / 14])
    assert dominant(of(exact(1.0))) == ()


def test_the_mean_of_the_draws_is_the_mean_of_the_triangles(machine: Build) -> None:
    """Energy is linear in the prices: what a library of numbers draws must meet the closed form."""
    found = on(machine(bus={"energy": {"value": "5 pJ/B", "low": "1 pJ/B", "high": "7 pJ/B"}}))
    means = fsum((stake.value + stake.low + stake.high) / 3 for item in found.figures for stake in item.stakes)
    quantiles = np.array([item.at(share) for item in found.figures for share in (np.arange(1_000) + 0.5) / 1_000])
    assert quantiles.sum() / 1_000 == pytest.approx(means, rel=1e-4)


def test_what_lies_around_a_machine_has_one_draw_for_all_its_prices() -> None:
    """Twice the joules at every draw are twice the band, however many prices there are; and it cancels in a ratio."""
    server = Step(1.5, 1.2, 1.8, "x 1.5 (server)", "server")
    many = of(*(constant(name, 1.0, 0.9, 1.1) for name in "abcdefgh"), around=(server,))
    inside = of(*many.figures)
    assert ratio_band(many, inside) == pytest.approx(
        (1.2 + sqrt(0.05 * 0.6 * 0.3), 1.8 - sqrt(0.05 * 0.6 * 0.3)), rel=1e-4
    )
    assert ratio_band(many, of(*many.figures, exact(0.0), around=(server,))) == (1.0, 1.0)
    first = dominant(many)[0]
    assert (first.component, first.action) == ("site", "server")
    assert first.share > 0.9
