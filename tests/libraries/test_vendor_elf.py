"""What ELF files need: hand-made ones, and those of this system."""

from __future__ import annotations

import os
import re
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multifd.errors import InputError
from multifd.libraries import elf
from tests.libraries.elves import libc_path, library


def write(path: Path, *, needs: dict[str, list[str]]) -> Path:
    path.write_bytes(library(needs))
    return path


def test_needed_libraries_and_versions_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "liba.so", needs={"libb.so.1": ["B_1"], "libc.so.6": ["GLIBC_2.4", "GLIBC_2.38"]})

    needs = elf.read(path)

    assert needs.libraries == ("libb.so.1", "libc.so.6")
    assert needs.versions == {"B_1", "GLIBC_2.4", "GLIBC_2.38"}


def test_versions_are_compared_as_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "liba.so", needs={"libc.so.6": ["GLIBC_2.4", "GLIBC_2.38", "GLIBC_2.2.5"]})

    assert elf.read(path).glibc == (2, 38)


def test_a_feature_of_the_loader_counts_as_the_glibc_that_brought_it(tmp_path: Path) -> None:
    path = write(tmp_path / "liba.so", needs={"libc.so.6": ["GLIBC_2.34", "GLIBC_ABI_DT_RELR"]})

    assert elf.read(path).glibc == (2, 36)


def test_a_library_without_versions_needs_no_particular_glibc(tmp_path: Path) -> None:
    path = write(tmp_path / "liba.so", needs={"libc.so.6": []})

    assert elf.read(path).glibc == (0, 0)


def test_a_librarys_neighbours_count_and_glibc_itself_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "liba.so", needs={"libb.so.1": [], "libc.so.6": ["GLIBC_2.34"]})
    write(tmp_path / "libb.so.1", needs={"liba.so": [], "libc.so.6": ["GLIBC_2.38"]})
    write(tmp_path / "libc.so.6", needs={"ld-linux-x86-64.so.2": ["GLIBC_2.43"]})

    assert elf.glibc_of(path) == (2, 38)


def test_functions_that_a_library_defines_are_read_and_those_that_it_needs_are_not(tmp_path: Path) -> None:
    (tmp_path / "liba.so").write_bytes(library({"libc.so.6": []}, ["qzInit", "qzClose"]))

    assert elf.functions(tmp_path / "liba.so") == {"qzInit", "qzClose"}


def test_a_library_without_section_headers_tells_no_functions(tmp_path: Path) -> None:
    assert elf.functions(write(tmp_path / "liba.so", needs={"libc.so.6": []})) == frozenset()


def test_the_c_library_of_this_process_defines_its_functions() -> None:
    assert {"printf", "dlopen"} <= elf.functions(libc_path())


def test_section_headers_that_lead_nowhere_are_an_input_error(tmp_path: Path) -> None:
    content = library({"libc.so.6": []}, ["qzInit"])
    (tmp_path / "liba.so").write_bytes(content[:-40])

    with pytest.raises(InputError, match="cut off or damaged"):
        elf.functions(tmp_path / "liba.so")


def test_the_interpreter_of_this_test_needs_no_newer_glibc_than_there_is() -> None:
    running = re.search(r"(\d+)\.(\d+)", os.confstr("CS_GNU_LIBC_VERSION") or "")
    assert running is not None

    needed = elf.read(Path(sys.executable)).glibc

    assert (0, 0) < needed <= (int(running[1]), int(running[2]))


def test_the_systems_libc_needs_its_loader() -> None:
    assert "ld-linux-x86-64.so.2" in elf.read(libc_path()).libraries


def test_a_text_file_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "libqpl.so.1"
    path.write_text("GROUP ( libqpl.so )\n")

    with pytest.raises(InputError) as error:
        elf.read(path)

    assert str(error.value) == f"{path}: starts with 47524f555020, expected 7f454c460201 (64-bit little-endian ELF)"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        elf.read(tmp_path / "none.so")

    assert str(error.value) == f"{tmp_path}/none.so: cannot read: No such file or directory"


WHOLE = library({"libc.so.6": ["GLIBC_2.34", "GLIBC_2.38"]})


@given(st.integers(6, len(WHOLE) - 1))
def test_a_file_that_is_cut_off_is_refused(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "liba.so"
    path.write_bytes(WHOLE[:length])

    with pytest.raises(InputError) as error:
        elf.read(path)

    assert str(error.value) == f"{path}: ELF file of {length} bytes is cut off or damaged"


@given(st.integers(6, len(WHOLE) - 1), st.integers(0, 255))
@example(39, 128)  # headers at an offset beyond 2^63
def test_a_damaged_byte_never_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, at: int, value: int) -> None:
    path = tmp_path_factory.mktemp("damaged") / "liba.so"
    path.write_bytes(WHOLE[:at] + struct.pack("B", value) + WHOLE[at + 1 :])

    try:
        elf.read(path)
    except InputError as error:
        assert str(error) == f"{path}: ELF file of {len(WHOLE)} bytes is cut off or damaged"
