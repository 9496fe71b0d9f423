"""What decides a run, and the line that runs one of its cells again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from multifd.campaign.options import Options, parse
from multifd.errors import InputError
from multifd.memory.size import size

CELL = "wire/zlib-packet[window=12]/a~b"


def parsed(directory: Path = Path("/"), **given: str) -> Options:
    """Options of a command line with these."""
    usual: dict[str, Any] = {
        "profile": "p", "qemu": (), "memory": "2M", "corpus": None, "seed": "1", "strength": "2", "host": None,
    }  # fmt: skip
    return parse(**usual | given, directory=directory)


def test_defaults_need_not_be_repeated() -> None:
    assert Options().repeated() == ()


@pytest.mark.parametrize(
    ("changes", "repeated"),
    [
        ({"profile": "lab"}, ("--hwprofile", "lab")),
        ({"qemu": ("found", "/opt/qemu -L /s")}, ("--qemu", "found", "--qemu", "/opt/qemu -L /s")),
        ({"memory": 8 << 20}, ("--memory", "8388608")),
        ({"corpus": Path("/my files")}, ("--corpus", "/my files")),
        ({"seed": 7}, ("--seed", "7")),
        ({"host": Path("/recorded")}, ("--host-root", "/recorded")),
        (
            {"profile": "p", "memory": 8 << 20, "corpus": Path("/c")},
            ("--hwprofile", "p", "--memory", "8388608", "--corpus", "/c"),
        ),
    ],
)
def test_what_changes_a_cell_is_repeated(changes: dict[str, Any], repeated: tuple[str, ...]) -> None:
    assert Options(**changes).repeated() == repeated


def test_nobody_has_asked_for_a_qemu(tmp_path: Path) -> None:
    assert parsed(tmp_path).qemu == ("auto",)


def test_files_are_repeated_so_that_they_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lab.yaml").touch()
    (tmp_path / "qemu").touch()
    monkeypatch.chdir(tmp_path)

    repeated = Options(profile="lab.yaml", qemu=("qemu",), corpus=Path("files")).repeated()

    assert repeated == (
        "--hwprofile", f"{tmp_path}/lab.yaml", "--qemu", f"{tmp_path}/qemu", "--corpus", f"{tmp_path}/files",
    )  # fmt: skip


def test_memory_is_repeated_so_that_it_reads_the_same() -> None:
    _, text = Options(memory=8 << 20).repeated()

    assert size(text, unit=1, least=0) == 8 << 20


def test_a_cell_is_run_again_with_what_the_readme_has() -> None:
    assert Options().reproduce("wire/x") == "python3 bootstrap.py conformance --cell wire/x"


def test_the_line_quotes_what_a_shell_would_expand() -> None:
    line = Options(corpus=Path("/it's mine")).reproduce(CELL)

    assert shlex.split(line) == ["python3", "bootstrap.py", "conformance", "--cell", CELL, "--corpus", "/it's mine"]


def test_a_directory_whose_name_cannot_be_written_is_refused() -> None:
    with pytest.raises(InputError) as error:
        parsed(corpus="dump\udcff")

    assert str(error.value) == "--corpus 'dump\\udcff': expected a path in UTF-8, for results and commands name it"


def test_devices_are_those_of_the_host_itself() -> None:
    assert Options().device_host.root == Path("/")


def test_devices_are_those_of_a_recorded_host_where_one_is_given(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()

    options = parsed(tmp_path, host="host")

    assert options.device_host.root == tmp_path / "host"


def test_a_recorded_host_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        parsed(tmp_path, host="host")

    assert str(error.value) == "--host-root 'host': expected the root of a recorded host, a directory"
