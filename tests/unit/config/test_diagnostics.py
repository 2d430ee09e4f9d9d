import pytest

from archsim.config.diagnostics import Diagnostic, InputError, Position, did_you_mean, fail, render


def caret_line(position: Position) -> tuple[str, str]:
    lines = render(Diagnostic("wrong", position)).splitlines()
    return lines[3], lines[4]


def test_render_names_file_line_and_column() -> None:
    text = render(Diagnostic("must be text", Position("hw.yaml", 7, 3, 2, "a b"), "write it in quotes"))
    assert text.startswith("error: must be text\n")
    assert "hw.yaml:7:3" in text
    assert text.endswith("  = help: write it in quotes")


def test_render_without_position_is_one_line() -> None:
    assert render(Diagnostic("wrong", severity="warning")) == "warning: wrong"


def test_carets_stand_under_the_span() -> None:
    source, carets = caret_line(Position("f", 12, 8, 4, "  key: 1234 # five"))
    assert source[carets.index("^") : carets.rindex("^") + 1] == "1234"


def test_a_tab_before_the_span_stays_a_tab_under_itself() -> None:
    _, carets = caret_line(Position("f", 1, 3, 1, "\tab"))
    assert carets == "  | \t ^"


def test_a_line_of_megabytes_is_cut_around_the_span() -> None:
    source, carets = caret_line(Position("f", 1, 500_001, 3, "x" * 500_000 + "bad" + "x" * 500_000))
    assert len(source) < 200
    assert source[carets.index("^") : carets.rindex("^") + 1] == "bad"


def test_escape_sequences_never_reach_the_terminal() -> None:
    text = render(Diagnostic("key `\x1b[31m`", Position("f\x1b", 1, 1, 1, "\x1b[31m"), "\x1b[0m"))
    assert "\x1b" not in text


def test_an_input_error_shows_all_its_findings() -> None:
    error = InputError([Diagnostic("one"), Diagnostic("two", Position("f", 3, 4, 1, "text"))])
    assert "error: one" in str(error)
    assert "f:3:4" in str(error)


def test_fail_raises_the_one_finding() -> None:
    position = Position("f", 1, 1, 1, "")
    with pytest.raises(InputError) as caught:
        fail("wrong", position, "right")
    assert caught.value.diagnostics == (Diagnostic("wrong", position, "right"),)


@pytest.mark.parametrize(
    ("name", "candidates", "meant"),
    [
        ("bandwith", ["bandwidth", "latency"], "bandwidth"),
        ("BANDWIDTH", ["bandwidth", "latency"], "bandwidth"),
        ("llama-3.1-8b-decod", ["llama-3.1-70b-decode", "llama-3.1-8b-decode"], "llama-3.1-8b-decode"),
        ("hmb", ["hbm", "l2"], "hbm"),
    ],
)
def test_a_near_name_is_suggested(name: str, candidates: list[str], meant: str) -> None:
    assert did_you_mean(name, candidates) == f"did you mean `{meant}`?"


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert did_you_mean("colour", ["bandwidth", "latency"]) == ""
