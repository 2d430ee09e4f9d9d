from hashlib import sha256
from pathlib import Path

import pytest

from archsim.config.diagnostics import Diagnostic, InputError
from archsim.config.source import digest, read_source


def finding_of(path: Path) -> Diagnostic:
    with pytest.raises(InputError) as caught:
        read_source(path)
    (finding,) = caught.value.diagnostics
    return finding


def write(folder: Path, content: bytes) -> Path:
    path = folder / "hw.yaml"
    path.write_bytes(content)
    return path


def test_the_text_of_a_file_is_returned_unchanged(tmp_path: Path) -> None:
    assert read_source(write(tmp_path, "a: µ\r\n".encode())) == "a: µ\r\n"


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfa: 1\r\n"
    assert digest(read_source(write(tmp_path, content))) == sha256(content).hexdigest()


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    finding = finding_of(tmp_path / "absent.yaml")
    assert "no such file" in finding.message
    assert finding.position is not None
    assert finding.position.path.endswith("absent.yaml")


def test_a_directory_is_a_finding(tmp_path: Path) -> None:
    assert "is a directory" in finding_of(tmp_path).message


def test_a_name_that_no_file_can_have_is_a_finding(tmp_path: Path) -> None:
    assert "cannot read" in finding_of(tmp_path / ("x" * 5000)).message
    assert "cannot read" in finding_of(tmp_path / "a\0b").message


def test_a_nul_byte_is_found_where_it_stands(tmp_path: Path) -> None:
    finding = finding_of(write(tmp_path, b"a: 1\nbc: \0"))
    assert "NUL" in finding.message
    assert finding.position is not None
    assert (finding.position.line, finding.position.column) == (2, 5)


def test_a_byte_that_is_not_utf8_is_found_where_it_stands(tmp_path: Path) -> None:
    finding = finding_of(write(tmp_path, "a: µ\nµb: ".encode() + b"\xe9\n"))
    assert "0xe9" in finding.message
    assert finding.position is not None
    assert (finding.position.line, finding.position.column) == (2, 5)


def test_a_file_above_eight_megabytes_is_refused(tmp_path: Path) -> None:
    assert "larger than 8 MB" in finding_of(write(tmp_path, b"#" * 9_000_000)).message


def test_an_endless_file_is_refused() -> None:
    assert "larger than 8 MB" in finding_of(Path("/dev/zero")).message
