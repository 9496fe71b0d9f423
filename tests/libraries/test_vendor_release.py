"""Of which release a library is that is not loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.libraries import release
from multifd.libraries.release import CALLED
from tests.libraries.elves import library

OLDEST = CALLED["qatzip"]


def file(folder: Path, real: str, soname: str, content: bytes = b"") -> Path:
    (folder / real).write_bytes(content)
    if real != soname:
        (folder / soname).symlink_to(real)
    return folder / soname


@pytest.mark.parametrize(
    ("real", "version"),
    [
        ("libqatzip.so.3.0.1", "1.1.1"),
        ("libqatzip.so.3.0.2", "1.1.2"),
        ("libqatzip.so.3.0.3", "1.2"),
        ("libqatzip.so.3.2.0", "1.3"),
        ("libqatzip.so.3.3.0", "2.0.0"),
    ],
)
def test_the_file_of_libqatzip_tells_the_release(tmp_path: Path, real: str, version: str) -> None:
    assert release.of_file("qatzip", file(tmp_path, real, "libqatzip.so.3")) == version


def test_the_file_of_libqpl_is_named_after_the_release(tmp_path: Path) -> None:
    assert release.of_file("qpl", file(tmp_path, "libqpl.so.1.8.0", "libqpl.so.1")) == "1.8.0"


@pytest.mark.parametrize(
    ("functions", "version"),
    [
        ([], "1.1.0"),
        (["qzAllocateMetadata"], "1.1.2"),
        (["qzAllocateMetadata", "qzSetLogLevel"], "1.3"),
        (["qzAllocateMetadata", "qzSetLogLevel", "qzSetupSessionZstd"], "2.0"),
    ],
)
def test_functions_tell_the_release_where_the_name_does_not(tmp_path: Path, functions: list[str], version: str) -> None:
    path = file(tmp_path, "libqatzip.so.3", "libqatzip.so.3", library({}, [*OLDEST, *functions]))

    assert release.of_file("qatzip", path) == version


def test_a_library_that_passes_on_to_another_tells_no_release(tmp_path: Path) -> None:
    path = file(tmp_path, "libqatzip.so.3", "libqatzip.so.3", library({"/real/libqatzip.so.3": []}, ["qzCompress"]))

    assert release.of_file("qatzip", path) is None


def test_a_pkg_config_file_tells_before_the_name(tmp_path: Path) -> None:
    path = file(tmp_path, "libqatzip.so.3.2.0", "libqatzip.so.3")
    (tmp_path / "pkgconfig").mkdir()
    (tmp_path / "pkgconfig/qatzip.pc").write_text("Version: 1.3.1\nLibs: -lqatzip\n")

    assert release.of_file("qatzip", path) == "1.3.1"


@pytest.mark.parametrize(("name", "soname"), [("qpl", "libqpl.so.1"), ("qatzip", "libqatzip.so.3")])
def test_what_tells_nothing_is_of_no_release(tmp_path: Path, name: str, soname: str) -> None:
    assert release.of_file(name, file(tmp_path, soname, soname, library({"libc.so.6": []}))) is None
    (tmp_path / soname).write_bytes(b"text")
    assert release.of_file(name, tmp_path / soname) is None


def test_libqat_says_its_release(tmp_path: Path) -> None:
    path = file(tmp_path, "libqat.so.4", "libqat.so.4", b"\x7fELF..\0QAT_SOFTWARE_VERSION=26.8.0\0..")

    assert release.of_libqat(path) == "26.08.0"


def test_an_old_libqat_does_not_say_its_release(tmp_path: Path) -> None:
    assert release.of_libqat(file(tmp_path, "libqat.so.1", "libqat.so.1", b"\x7fELF")) is None
    assert release.of_libqat(tmp_path / "missing") is None


def test_libqat_is_sought_in_the_folders_that_the_loader_is_told(tmp_path: Path) -> None:
    path = file(tmp_path, "libqatzip.so.3", "libqatzip.so.3", library({"libqat.so.4": [], "libc.so.6": []}))
    (tmp_path / "tree").mkdir()
    beside = file(tmp_path / "tree", "libqat.so.4", "libqat.so.4")

    assert release.libqat(path, [tmp_path, tmp_path / "tree"]) == beside


def test_libqat_is_sought_where_the_loader_looks_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, "libqatzip.so.3", "libqatzip.so.3", library({"libqat.so.4": []}))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))

    assert release.libqat(path) is None
    assert release.libqat(path) != file(tmp_path, "libqat.so.4", "libqat.so.4")
    assert release.libqat(path) == tmp_path / "libqat.so.4"


@pytest.mark.parametrize("needed", ["libqat_s.so", "libc.so.6"])
def test_who_is_not_linked_to_qatlib_has_no_libqat(tmp_path: Path, needed: str) -> None:
    path = file(tmp_path, "libqatzip.so.3", "libqatzip.so.3", library({needed: []}))
    file(tmp_path, needed, needed)

    assert release.libqat(path, [tmp_path]) is None
