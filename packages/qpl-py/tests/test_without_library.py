"""What holds on a machine that has no libqpl: importing, the search and its message, names, wrong arguments."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import qpl
from qpl import library
from qpl.buffers import Pinned
from qpl.errors import check
from qpl.header import AuxData, JobStructure
from qpl.member import check_member
from qpl.status import STATUS_NAMES

SOURCES = Path(__file__).parents[1] / "src"


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=variables)


def test_importing_does_not_need_the_library() -> None:
    done = run_python("import qpl; print(qpl.__version__)", QPL_LIBRARY="/nowhere/libqpl.so")

    assert (done.stdout, done.stderr) == ("0.2.0\n", "")


def test_a_named_library_is_the_only_one_searched_and_the_message_says_how_to_install() -> None:
    code = "import qpl\ntry: qpl.compress(b'page')\nexcept qpl.LibraryNotFoundError as e: print(e)"

    done = run_python(code, QPL_LIBRARY="/nowhere/libqpl.so")

    assert done.stdout == (
        "libqpl cannot be loaded; searched:\n"
        "  /nowhere/libqpl.so: /nowhere/libqpl.so: cannot open shared object file: No such file or directory\n"
        "install it (Debian and Ubuntu: apt install libqpl1; from source: https://github.com/intel/qpl)"
        " or name the file in QPL_LIBRARY\n"
    )


def test_without_a_name_the_loader_comes_first_then_usr_local() -> None:
    code = "import qpl.library as l; print(*l._candidates(None))"

    done = run_python(code)

    assert done.stdout == "libqpl.so.1 /usr/local/lib64/libqpl.so.1 /usr/local/lib/libqpl.so.1\n"


def test_an_explicit_path_precedes_the_environment() -> None:
    code = "import qpl.library as l; print(*l._candidates('/explicit.so'))"

    done = run_python(code, QPL_LIBRARY="/nowhere/libqpl.so")

    assert done.stdout == "/explicit.so\n"


def test_a_library_without_the_job_api_is_refused() -> None:
    code = "import qpl\ntry: qpl.load('libc.so.6')\nexcept qpl.LayoutError as e: print(e)"

    done = run_python(code)

    assert done.stdout == (
        "libqpl: function qpl_get_job_size is 'missing', expected 'exported': refusing to use this library\n"
    )


def test_a_library_of_another_major_version_is_refused() -> None:
    class Library:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: b"2.0.0"

    with pytest.raises(qpl.LayoutError, match=r"^libqpl: version is '2.0.0', expected '1.x': refusing to use"):
        library._declare(Library())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "offset"),
    [
        ("total_in", 12),
        ("total_out", 28),
        ("flags", 36),
        ("level", 52),
        ("huffman_table", 64),
        ("decomp_end_processing", 104),
        ("numa_id", 188),
        ("data_ptr", 192),
    ],
)
def test_the_job_structure_has_the_offsets_that_a_c_compiler_gives_it(field: str, offset: int) -> None:
    assert getattr(JobStructure, field).offset == offset


def test_the_job_structure_has_240_bytes_of_which_the_library_owns_48() -> None:
    assert (ctypes.sizeof(JobStructure), ctypes.sizeof(AuxData)) == (240, 48)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "QPL_STS_OK"),
        (2, "QPL_STS_MORE_OUTPUT_NEEDED"),
        (57, "QPL_STS_SIZE_ERR"),
        (87, "QPL_STS_UNSUPPORTED_COMPRESSION_LEVEL"),
        (104, "QPL_STS_ARCHIVE_HEADER_ERR"),
        (217, "QPL_STS_BAD_DIST_ERR"),
        (229, "QPL_STS_INTL_VERIFY_ERR"),
        (319, "QPL_STS_TRANSFER_SIZE_INVALID"),
        (501, "QPL_STS_INIT_LIBACCEL_NOT_FOUND"),
    ],
)
def test_statuses_have_the_names_of_the_header(status: int, name: str) -> None:
    assert STATUS_NAMES[status] == name


def test_every_status_of_the_header_is_named() -> None:
    assert len(STATUS_NAMES) == 124


def test_an_error_says_what_was_called_and_the_library_s_name_for_it() -> None:
    with pytest.raises(qpl.BadDistanceError, match=r"^qpl_execute_job: status 217 \(QPL_STS_BAD_DIST_ERR\)$"):
        check(217, "qpl_execute_job")


def test_a_status_that_the_header_does_not_know_is_still_an_error() -> None:
    with pytest.raises(qpl.QplError, match=r"^qpl_execute_job: status 4294967295 \(not in status.h\)$"):
        check(2**32 - 1, "qpl_execute_job")


def test_read_only_memory_is_a_source_without_a_copy() -> None:
    page = bytes(4096)

    with Pinned(page, "data") as first, Pinned(memoryview(page), "data") as second:
        assert (first.address, first.size) == (second.address, 4096)


def test_read_only_memory_is_no_destination() -> None:
    with pytest.raises(TypeError, match=r"^dst is read-only \(bytes\), expected a writable buffer$"):
        Pinned(b"page", "dst", writable=True)


def test_an_object_without_bytes_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^data is str, expected an object with contiguous bytes$"):
        Pinned("page", "data")


def test_memory_with_gaps_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^data is memoryview, expected an object with contiguous bytes$"):
        Pinned(memoryview(bytes(10))[::2], "data")


def test_a_released_buffer_can_be_resized_again() -> None:
    page = bytearray(10)

    with Pinned(page, "dst", writable=True):
        pass

    page.append(0)
    assert len(page) == 11


def test_no_data_is_not_a_null_pointer() -> None:
    with Pinned(bytearray(), "data") as nothing:
        assert nothing.address != 0


def test_four_gib_are_more_than_a_job_holds() -> None:
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with (
        mmap.mmap(-1, 2**32, flags=private, prot=mmap.PROT_READ) as much,
        pytest.raises(ValueError, match=r"^data is 4294967296 bytes, expected at most 4294967295$"),
    ):
        Pinned(much, "data")


def test_the_byte_behind_guarded_memory_cannot_be_read() -> None:
    code = "import ctypes, qpl.guard; m = qpl.guard.Guarded(10); ctypes.string_at(m.address + {}, 1)"

    assert run_python(code.format(9)).returncode == 0
    assert run_python(code.format(10)).returncode == -11


MAGIC = b"\x1f\x8b\x08"


@pytest.mark.parametrize(
    ("member", "needed"),
    [
        pytest.param(b"", 18, id="nothing"),
        pytest.param(MAGIC + bytes(14), 18, id="no room for the trailer"),
        pytest.param(MAGIC + b"\x04" + bytes(6) + b"\x05\x00" + bytes(12), 25, id="extra field"),
        pytest.param(MAGIC + b"\x08" + bytes(6) + b"name" + bytes(7), 22, id="name"),
        pytest.param(MAGIC + b"\x08" + bytes(6) + b"name without an end", 38, id="endless name"),
        pytest.param(MAGIC + b"\x08" + bytes(6) + b"\0" + b"empty name", 30, id="empty name"),
        pytest.param(MAGIC + b"\x02" + bytes(6) + bytes(9), 20, id="header checksum"),
    ],
)
def test_a_gzip_member_that_libqpl_would_read_beyond_is_refused(member: bytes, needed: int) -> None:
    message = f"^data is {len(member)} bytes, expected at least {needed} of a gzip member: libqpl would read beyond$"
    with Pinned(member, "data") as data, pytest.raises(qpl.UnsafeInputError, match=message):
        check_member(data.address, data.size, first=True, last=True)


def test_the_last_part_of_a_gzip_stream_must_hold_the_whole_trailer() -> None:
    message = r"^data is 7 bytes, expected at least 8 of a gzip member: libqpl would read beyond$"
    with Pinned(bytes(7), "data") as data, pytest.raises(qpl.UnsafeInputError, match=message):
        check_member(data.address, data.size, first=False, last=True)


def test_the_middle_of_a_gzip_stream_may_have_any_size() -> None:
    with Pinned(b"", "data") as data:
        check_member(data.address, data.size, first=False, last=False)


@pytest.mark.parametrize(("size", "bound"), [(0, 58), (4096, 4154), (65_535, 65_633), (1 << 20, 1_049_274)])
def test_the_bound_grows_with_stored_blocks(size: int, bound: int) -> None:
    assert qpl.compress_bound(size) == bound
