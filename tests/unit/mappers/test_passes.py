"""Units of a pipeline: which of them are one."""

from archsim.mappers.passes import Pass, Unit, alike
from archsim.model.trace import Experts, Operator, Phase


def unit(*loads: int, macs: int = 8, phase: Phase = "decode") -> Unit:
    return Unit((Operator("experts", (), (), macs, shape=Experts(loads, 4, 2)),), phase)


def test_layers_that_drew_other_experts_are_one_unit() -> None:
    one, two = alike((Pass((unit(1, 0, 2), unit(0, 2, 1)), ""), Pass((unit(2, 1, 0),), "token")))
    assert one.units == (two.units[0],) * 2
    assert two.closes == "token"


def test_layers_of_other_loads_work_or_phase_are_not() -> None:
    kinds = (unit(1, 2), unit(0, 3), unit(1, 2, macs=9), unit(2, 1, phase="prefill"))
    (found,) = alike((Pass(kinds, ""),))
    assert len(set(map(id, found.units))) == len(kinds)
    assert [one.phase for one in found.units] == [one.phase for one in kinds]
