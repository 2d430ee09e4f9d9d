from pathlib import Path

import pytest

from archsim.config import shipped as shipped_module
from archsim.config.diagnostics import InputError
from archsim.config.shipped import find, library_path, shipped


@pytest.fixture(params=["checkout", "wheel"])
def hw_configs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of shipped hardware, as in a source checkout and as in an installed wheel."""
    package = tmp_path / "archsim"
    folder = (package / "_data" if request.param == "wheel" else tmp_path) / "hw_configs"
    folder.mkdir(parents=True)
    package.mkdir(exist_ok=True)
    for name in ("h100-sxm.yaml", "a100-40gb.v2.yaml", "README.md"):
        (folder / name).write_text("name: x\n")
    monkeypatch.setattr(shipped_module, "_PACKAGE", package)
    return folder


def test_shipped_files_are_named_without_suffix_and_sorted(hw_configs: Path) -> None:
    names = {"a100-40gb.v2": hw_configs / "a100-40gb.v2.yaml", "h100-sxm": hw_configs / "h100-sxm.yaml"}
    assert list(shipped("hw_configs").items()) == list(names.items())


@pytest.mark.usefixtures("hw_configs")
def test_a_folder_that_is_not_shipped_is_empty() -> None:
    assert shipped("no_such_folder") == {}


def test_a_shipped_name_is_found(hw_configs: Path) -> None:
    assert find("h100-sxm", "hw_configs") == hw_configs / "h100-sxm.yaml"


@pytest.mark.usefixtures("hw_configs")
@pytest.mark.parametrize("argument", ["./mine", "mine.yaml", "mine.json", "deep/mine", "/mine"])
def test_what_looks_like_a_path_is_one(argument: str) -> None:
    assert find(argument, "hw_configs") == Path(argument)


@pytest.mark.usefixtures("hw_configs")
def test_an_existing_file_goes_before_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h100-sxm").write_text("name: mine\n")
    assert find("h100-sxm", "hw_configs") == Path("h100-sxm")


def test_a_folder_of_that_name_does_not_hide_a_shipped_file(
    hw_configs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h100-sxm").mkdir()
    assert find("h100-sxm", "hw_configs") == hw_configs / "h100-sxm.yaml"


@pytest.mark.usefixtures("hw_configs")
@pytest.mark.parametrize("argument", ["h100-smx", "H100-SXM"])
def test_an_unknown_name_is_found_with_the_nearest_and_all_names(argument: str) -> None:
    with pytest.raises(InputError) as caught:
        find(argument, "hw_configs")
    (finding,) = caught.value.diagnostics
    assert f"`{argument}`" in finding.message
    assert finding.help == "did you mean `h100-sxm`? shipped: a100-40gb.v2, h100-sxm"


@pytest.mark.usefixtures("hw_configs")
@pytest.mark.parametrize("argument", ["", "x" * 5000, "a\0b"])
def test_a_name_that_nothing_can_have_is_unknown(argument: str) -> None:
    with pytest.raises(InputError):
        find(argument, "hw_configs")


def test_the_library_stands_in_the_package() -> None:
    assert library_path().parent.name == "archsim"
    assert library_path().is_dir()
