"""What a soft knee adds to the slowest leg: whole numbers, nothing where one leg stands out, most where all tie."""

import pytest

from archsim.model.knee import root_of_powers, unhidden
from archsim.model.taskgraph import TICKS, Port

MEMORY, LINK, MACS = Port("hbm", "io"), Port("xbar", "down"), Port("sm", "mac")


def added(memory: int, macs: int, knee: int, stall: int = 0) -> int:
    return unhidden({MEMORY: memory * TICKS, MACS: macs * TICKS}, [[MEMORY]], stall * TICKS, knee)


@pytest.mark.parametrize("knee", [2, 4, 8])
def test_equal_legs_take_the_root_of_two_longer(knee: int) -> None:
    assert added(10**9, 10**9, knee) == int(10**9 * 2 ** (1 / knee)) - 10**9


def test_a_leg_alone_takes_what_it_takes() -> None:
    assert added(10**9, 0, 4) == 0


def test_a_small_leg_is_all_but_hidden() -> None:
    assert added(10**9, 10**8, 4) == pytest.approx(10**9 * 1e-4 / 4, rel=1e-3)


def test_the_window_is_a_leg_too() -> None:
    assert added(10**9, 0, 4, stall=10**9) == added(10**9, 10**9, 4)


def test_ports_that_pass_on_the_same_bytes_are_one_leg() -> None:
    ticks = {MEMORY: 100 * TICKS, LINK: 100 * TICKS}
    assert unhidden(ticks, [[MEMORY, LINK]], 0, 4) == 0
    assert unhidden(ticks, [[MEMORY], [LINK]], 0, 4) == 18


def test_roots_are_exact() -> None:
    assert root_of_powers([3 * 10**20, 4 * 10**20], 2) == 5 * 10**20
