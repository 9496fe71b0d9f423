"""Finding libqatzip. Needs no library."""

from __future__ import annotations

import pytest
from interpreter import run_python

from qatzip import LibraryNotFoundError, library, load


def test_a_path_given_is_the_only_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QATZIP_LIBRARY", "/elsewhere/libqatzip.so")

    assert library.candidates("/given/libqatzip.so") == ("/given/libqatzip.so",)


def test_the_environment_variable_comes_before_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QATZIP_LIBRARY", "/elsewhere/libqatzip.so")

    assert library.candidates() == ("/elsewhere/libqatzip.so",)


def test_the_loaders_places_come_before_those_of_a_build_from_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QATZIP_LIBRARY", raising=False)

    assert library.candidates() == (
        "libqatzip.so.3",
        "libqatzip.so",
        "/usr/local/lib/libqatzip.so.3",
        "/usr/local/lib/libqatzip.so",
        "/usr/local/lib64/libqatzip.so.3",
        "/usr/local/lib64/libqatzip.so",
    )


def test_a_missing_library_is_reported_with_what_was_searched_and_how_to_install_it() -> None:
    with pytest.raises(LibraryNotFoundError) as caught:
        library._open("/nowhere/libqatzip.so")

    assert caught.value.searched == (
        (
            "/nowhere/libqatzip.so",
            "/nowhere/libqatzip.so: cannot open shared object file: No such file or directory",
        ),
    )
    assert str(caught.value) == (
        "libqatzip cannot be loaded. Searched: /nowhere/libqatzip.so: /nowhere/libqatzip.so: cannot open shared"
        " object file: No such file or directory. Install your distribution's package (Debian: libqatzip3, Fedora and"
        " RHEL: qatzip-libs) or build https://github.com/intel/QATzip; a file elsewhere is named by the environment"
        " variable QATZIP_LIBRARY or by qatzip.load(path)"
    )


def test_importing_needs_no_library() -> None:
    program = "import qatzip\ntry: qatzip.compress(b'')\nexcept qatzip.LibraryNotFoundError: print('on use only')"

    assert run_python(program, QATZIP_LIBRARY="/nowhere/libqatzip.so") == "on use only\n"


@pytest.mark.usefixtures("library")
def test_a_second_library_in_one_process_is_refused() -> None:
    loaded = load()._name

    with pytest.raises(ValueError) as caught:
        load("/other/libqatzip.so")

    assert str(caught.value) == f"path is '/other/libqatzip.so', expected {loaded!r}, which is loaded already"
