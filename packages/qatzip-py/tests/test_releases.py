"""Releases of libqatzip: which one is loaded, and what an old one does not have.

The old one is a few functions of C with the exports of 1.1.2; what it is asked happens in a process of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from interpreter import run_python

from qatzip.errors import MissingFunctionError
from qatzip.release import Release, release_of

COMPILER = shutil.which("cc")
SOURCE = Path(__file__).with_name("old_libqatzip.c")

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler; remedy: apt install gcc")


def build(directory: Path, name: str = "libqatzip.so.3.0.2", **defined: int) -> Path:
    assert COMPILER is not None
    library = directory / name
    macros = [f"-D{key}={value}" for key, value in {"DEVICE": 0, **defined}.items()]
    subprocess.run([COMPILER, "-shared", "-fPIC", "-Wall", "-Werror", *macros, SOURCE, "-o", library], check=True)
    return library


def answer(library: Path, program: str) -> str:
    prelude = "import qatzip\nfrom qatzip import Parameters, Session\n"
    return run_python(prelude + program, QATZIP_LIBRARY=str(library)).strip()


def error(library: Path, expression: str) -> str:
    return answer(library, f"try: {expression}\nexcept Exception as e: print(type(e).__name__ + ':', e)")


@needs_compiler
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("libqatzip.so.3.0.2", "1.1.2"),
        ("libqatzip.so.3.0.3", "1.2"),
        ("libqatzip.so.3.2.0", "1.3"),
        ("libqatzip.so.3.3.0", "2.0.0"),
        ("libqatzip.so.3", "1.1"),
        ("renamed.so", "1.1"),
    ],
)
def test_a_release_is_told_by_the_librarys_file_else_by_its_functions(name: str, text: str, tmp_path: Path) -> None:
    assert answer(build(tmp_path, name), "print(qatzip.release())") == text


@needs_compiler
def test_links_to_the_file_are_followed(tmp_path: Path) -> None:
    library = build(tmp_path)
    (tmp_path / "libqatzip.so.3").symlink_to(library)

    assert answer(tmp_path / "libqatzip.so.3", "print(qatzip.release())") == "1.1.2"


@pytest.mark.parametrize(
    ("function", "series"),
    [("qzSetupSessionZstd", (2, 0)), ("qzSetupSessionDeflateExt", (1, 3)), ("decompBufferSetup", (1, 2))],
)
def test_a_function_places_a_library_in_the_series_that_brought_it(function: str, series: tuple[int, ...]) -> None:
    library: Any = type("Library", (), {"_name": "libqatzip.so", function: None})()

    assert release_of(library).numbers == series


def test_a_release_that_is_not_known_has_no_numbers() -> None:
    assert (Release("", "x.so").numbers, str(Release("", "x.so"))) == ((), "of unknown release")


@needs_compiler
def test_an_old_library_is_loaded_and_says_what_it_lacks(tmp_path: Path) -> None:
    assert answer(build(tmp_path), "print(*sorted(qatzip.lacking()))") == (
        "qzDecompressCrcExt qzGetDefaultsDeflateExt qzGetDeflateEndOfStream qzSetLogLevel qzSetupSessionDeflateExt"
    )


@needs_compiler
def test_an_old_library_works_in_the_formats_that_it_has(tmp_path: Path) -> None:
    program = """
for each in qatzip.formats():
    with Session(Parameters(format=each)) as session:
        room = bytearray(5000)
        print(each, session.compress_into(b"page" * 1024, room), session.stream_ended)
"""

    assert answer(build(tmp_path), program).splitlines() == [
        "gzip-ext (4096, 4096) None",
        "gzip (4096, 4096) None",
        "raw (4096, 4096) None",
        "4B (4096, 4096) None",
    ]


@needs_compiler
@pytest.mark.parametrize(
    ("expression", "function"),
    [
        ("Session(Parameters(format='zlib'))", "qzSetupSessionDeflateExt"),
        ("Session(Parameters(stop_at_stream_end=True))", "qzSetupSessionDeflateExt"),
        ("Session().decompress_crc_into(bytes(20), bytearray(20))", "qzDecompressCrcExt"),
        ("qatzip.set_log_level(0)", "qzSetLogLevel"),
    ],
)
def test_what_an_old_library_has_not_names_the_function_and_the_release_that_has_it(
    expression: str, function: str, tmp_path: Path
) -> None:
    library = build(tmp_path)

    assert error(library, expression) == (
        f"MissingFunctionError: libqatzip 1.1.2 ({library}) has no {function}(): expected libqatzip 1.3.0 or newer"
    )


@needs_compiler
def test_a_library_that_is_older_than_all_is_refused_once_for_all(tmp_path: Path) -> None:
    library = build(tmp_path, "libqatzip.so.3.0.0", OLDER=1)

    assert error(library, "qatzip.load()") == (
        f"MissingFunctionError: libqatzip 1.1 ({library}) has no qzCompressCrcExt(): expected libqatzip 1.1.2 or newer"
    )


def test_a_missing_function_is_a_layout_that_cannot_be_used() -> None:
    problem = MissingFunctionError(Release("1.2", "/lib/x.so"), "qzInit", "1.1.2")

    assert (problem.function, problem.since, problem.release.text) == ("qzInit", "1.1.2", "1.2")


@needs_compiler
@pytest.mark.parametrize("goes_on", [{}, {"GOES_ON": 1}])
def test_bytes_read_by_a_device_are_those_of_the_last_call_however_the_library_counts(
    goes_on: dict[str, int], tmp_path: Path
) -> None:
    program = """
session, room = Session(), bytearray(5000)
for size in (4096, 2048, 100, 4096):
    session.compress_into(bytes(size), room)
    print(session.read_by_device, session.ran_in_software)
session.decompress_into(bytes(3000), room)
print(session.read_by_device)
"""

    assert answer(build(tmp_path, DEVICE=1, **goes_on), program).splitlines() == [
        "4096 False",
        "2048 False",
        "0 True",
        "4096 False",
        "3000",
    ]


@needs_compiler
def test_without_a_device_no_call_is_said_to_have_left_one(tmp_path: Path) -> None:
    program = "s = Session()\ns.compress_into(bytes(4096), bytearray(5000))\nprint(s.read_by_device, s.ran_in_software)"

    assert answer(build(tmp_path), program) == "0 False"


@needs_compiler
def test_path_software_leaves_the_device_alone(tmp_path: Path) -> None:
    program = """
session, room = Session(path="software"), bytearray(5000)
for again in range(2):
    session.compress_into(bytes(4096), room)
    print(session.hardware, session.state, session.read_by_device)
    session.reset()
"""

    assert answer(build(tmp_path, DEVICE=1), program).splitlines() == ["False QZ_NO_HW 0"] * 2


@needs_compiler
def test_path_hardware_is_a_device_or_an_error_in_the_librarys_words(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()

    assert answer(build(tmp_path / "with", DEVICE=1), "print(Session(path='hardware').hardware)") == "True"
    assert error(build(tmp_path), "Session(path='hardware')") == (
        "QatzipError: qzInit: QZ_NO_HW (11): no QAT device that this process could start"
    )


@needs_compiler
def test_software_that_may_not_work_is_a_contradiction(tmp_path: Path) -> None:
    assert error(build(tmp_path), "Session(Parameters(sw_backup=False), 'software')") == (
        "ValueError: path is 'software', expected 'auto' or 'hardware' without sw_backup"
    )
