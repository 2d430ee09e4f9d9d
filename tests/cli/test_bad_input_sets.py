from collections.abc import Callable

import pytest
from click.testing import Result

Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("setting", "culprit", "says"),
    [
        ("hardwar.devices=2", "hardwar.", "did you mean `hardware`?"),
        ("hardware.device=2", "device=", "did you mean `devices`?"),
        ("hardware.component.hbm.count=3", "component.", "did you mean `components`?"),
        ("hardware.components.hbn.count=3", "hbn", "did you mean `hbm`?"),
        ("hardware.components.hbm.cuont=3", "cuont", "did you mean `count`?"),
        ("hardware.components.hbm.energy.raed=3 pJ/B", "raed", "did you mean `read`?"),
        ("hardware.links.xbra.bandwidth=3 GB/s", "xbra", "did you mean `xbar`?"),
        ("hardware.mapper.tensor_paralel=2", "tensor_paralel", "did you mean `tensor_parallel`?"),
        ("workload.bacth=8", "bacth", "did you mean `batch`?"),
        ("workload.dtypes.weigths=int8", "weigths", "did you mean `weights`?"),
        ("hardware.components.hbm.count.x=3", "x=3", "there is nothing below it"),
        ("hardware.components.hbm.note=~", "note", "there is no `hardware.components.hbm.note` to delete"),
        ("hardware.links.mem.between.2=l2", "2=l2", "is no index"),
        ("workload.batch", "workload.batch", "a setting is written KEY=VALUE"),
        ("workload=8", "workload", "e.g. `workload.path.to.key=VALUE`"),
        ("workload.batch= ", " ", "there is no value after `=`"),
        ("workload.batch=8 sequences", "8 sequences", "must be a whole number"),
        ("workload.batch=a: b: c", ": c", "not valid YAML"),
        ("workload.batch=-8", "-8", "must be greater than 0"),
        ("hardware.components.hbm.bandwidth=4.8", "4.8", "a bare number where a unit belongs"),
        ("hardware.components.hbm.bandwidth=4.8 TB", "4.8 TB", "not of bandwidth"),
        ("hardware.stack=ideel", "ideel", "did you mean `ideal`?"),
        ("hardware.mapper.kind=spatiel", "spatiel", "unknown mapper kind"),
        ("workload.family=transfomer", "transfomer", "did you mean `transformer`?"),
        ("workload.model=llama-3.1-9b", "llama-3.1-9b", "did you mean `llama-3.1-8b`?"),
        ("workload.seed=-1", "-1", "must be at least 0"),
        ("hardware.components.hbm={kind: hbm_stack, bandwidht: 3 TB/s}", "bandwidht", "did you mean `bandwidth`?"),
        ("hardware.components.hbm={bandwidth: 3 TB/s}", "hbm", "missing key `kind`"),
        ("hardware.components.l3.bandwidth=3 TB/s", "l3", "there is no component `l3` in this machine"),
        ("hardware.components.l3.bandwidth=3 TB/s", "l3", "help: components: hbm, l2, sm; a new one needs a `kind`"),
        ("hardware.components.l3={capacity: 3 MiB}", "l3", "a new one needs a `kind`"),
        ("hardware.links.pcie.bandwidth=3 TB/s", "pcie", "there is no link `pcie` in this machine"),
        ("hardware.links.xbra.bandwidth=3 TB/s", "xbra", "did you mean `xbar`? links: "),
        ("workload.dtypes={weights: int8, kv: int8}", "dtypes", "missing key `activations`"),
        ("workload.dtypes={weights: int8, kv: itn8}", "itn8", "did you mean `int8`?"),
    ],
)
def test_a_setting_is_refused_where_it_is_wrong(refused_option: Refused, setting: str, culprit: str, says: str) -> None:
    stderr = refused_option("--set", setting, culprit=culprit)
    assert says in stderr


def test_all_settings_are_found_wrong_at_once(run: Callable[..., Result]) -> None:
    result = run(args=("--set", "hardwar.x=1", "--set", "workload.batch=2", "--set", "hardware.components.hbm.a.b=~"))
    assert result.exit_code == 2
    assert "<--set #1>:1:1" in result.stderr
    assert "<--set #3>:1:25" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--fidelity", "flwo", "did you mean `flow`?"),
        ("--boundary", "bord", "did you mean `board`?"),
        ("--format", "jsn", "did you mean `json`?"),
    ],
)
def test_an_option_with_an_unknown_name_gets_the_nearest(
    refused_option: Refused, option: str, value: str, says: str
) -> None:
    assert says in refused_option(option, value, culprit=value, name=f"<{option}>")


def test_a_boundary_that_prices_are_wider_than_is_refused(refused: Refused) -> None:
    stderr = refused("machine.yaml", culprit="boundary: ^chip", args=("--boundary", "device"))
    assert "prices cover more than the device and can't be narrowed: " in stderr
    assert "hbm read (chip)" in stderr
    assert "sm static (chip)" in stderr


def test_parts_alone_are_not_widened(refused: Refused) -> None:
    edit = ("boundary: chip", "boundary: device")
    stderr = refused("machine.yaml", edit, culprit="boundary: ^device", args=("--boundary", "board"))
    assert "parts alone are priced" in stderr


@pytest.mark.parametrize(
    ("setting", "culprit", "says"),
    [
        ("hardware.site.pue=0.9", "0.9", "must be at least 1"),
        ("hardware.site.pue=20 %", "20 %", "must be a number"),
        ("hardware.site.water=1.8 L", "1.8 L", "a unit of volume, not of water per energy"),
        ("hardware.site.water=1.8 kg/kWh", "1.8 kg/kWh", "a unit of carbon per energy, not of water per energy"),
        ("hardware.site.carbon=436", "436", "a bare number where a unit belongs"),
        ("hardware.site.puee=1.1", "puee", "did you mean `pue`?"),
        ("hardware.site.server={value: 1.35, low: 1.5}", "{value: 1.35, low: 1.5}", "a range must hold its value"),
    ],
)
def test_a_setting_of_the_site_is_refused_where_it_is_wrong(
    refused_option: Refused, setting: str, culprit: str, says: str
) -> None:
    assert says in refused_option("--set", setting, culprit=culprit)


def test_a_chunk_larger_than_a_buffer_is_refused(run: Callable[..., Result]) -> None:
    result = run(args=("--fidelity", "chunk", "--chunk-bytes", "1000000"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "<--chunk-bytes>:1:1" in result.stderr
    assert "a chunk of 1,000,000 B is larger than the buffer of a requester" in result.stderr


def test_a_chunk_is_refused_where_nothing_is_cut(refused_option: Refused) -> None:
    assert "nothing is cut into chunks" in refused_option(
        "--chunk-bytes", "4096", culprit="4096", name="<--chunk-bytes>"
    )


@pytest.mark.parametrize("arguments", [(), ("one",), ("a", "b", "c"), ("a", "b", "--seed", "x"), ("a", "b", "--sett")])
def test_wrong_usage_is_answered_with_usage(cli: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    result = cli("run", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: archsim run" in result.stderr
