import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archsim.config.diagnostics import InputError, Position
from archsim.config.registry import Family

GROUP = "archsim.zoo"


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a package on the path, with two kinds; each test names its own, for modules are cached."""
    package = tmp_path / f"zoo_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "lion.py").write_text('KIND = "lion"\n')
    (package / "bear.py").write_text('KIND = "brown-bear"\n')
    (package / "food.py").write_text("MEAT = 1\n")
    (package / "_cage.py").write_text('raise RuntimeError("private")\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def offer(folder: Path, target: str) -> None:
    """Install a distribution with one entry point."""
    info = folder / "guest-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nguest = {target}\n")


def message_of(family: Family) -> str:
    with pytest.raises(InputError) as caught:
        family.members()
    return caught.value.diagnostics[0].message


def test_every_public_module_with_a_kind_is_a_member(zoo: Path) -> None:
    assert Family(zoo.name, GROUP).kinds() == ("brown-bear", "lion")


def test_a_kind_gets_its_module(zoo: Path) -> None:
    assert Family(zoo.name, GROUP).get("brown-bear").__name__ == f"{zoo.name}.bear"


def test_an_unknown_kind_is_found_with_the_known_ones_and_the_nearest(zoo: Path) -> None:
    position = Position("hw.yaml", 3, 9, 4, "  kind: loin")
    with pytest.raises(InputError) as caught:
        Family(zoo.name, GROUP).get("loin", position)
    (finding,) = caught.value.diagnostics
    assert finding.message.endswith("kind `loin`; known: brown-bear, lion")
    assert finding.help == "did you mean `lion`?"
    assert finding.position == position


def test_an_entry_point_of_an_installed_package_is_a_member(zoo: Path) -> None:
    (zoo.parent / f"{zoo.name}_guest.py").write_text('KIND = "yak"\n')
    offer(zoo.parent, f"{zoo.name}_guest")
    assert Family(zoo.name, GROUP).kinds() == ("brown-bear", "lion", "yak")


def test_two_modules_of_one_kind_are_refused(zoo: Path) -> None:
    (zoo / "puma.py").write_text('KIND = "lion"\n')
    message = message_of(Family(zoo.name, GROUP))
    assert f"{zoo.name}.lion" in message
    assert f"{zoo.name}.puma" in message


def test_an_entry_point_can_not_take_a_kind_that_is_there(zoo: Path) -> None:
    (zoo.parent / f"{zoo.name}_guest.py").write_text('KIND = "lion"\n')
    offer(zoo.parent, f"{zoo.name}_guest")
    assert "both claim the kind `lion`" in message_of(Family(zoo.name, GROUP))


@pytest.mark.parametrize("source", ["raise RuntimeError('out of order')", "x = 1", "import no_such_module_at_all"])
def test_an_entry_point_that_is_no_member_is_refused_by_name(zoo: Path, source: str) -> None:
    (zoo.parent / f"{zoo.name}_guest.py").write_text(source)
    offer(zoo.parent, f"{zoo.name}_guest")
    assert f"`{zoo.name}_guest`" in message_of(Family(zoo.name, GROUP))
