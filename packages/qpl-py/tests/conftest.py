"""The tests of the binding; those that need libqpl are skipped where this interpreter cannot load it."""

from __future__ import annotations

import pytest

import qpl

REMEDY = (
    "install libqpl1, or set QPL_LIBRARY; where the host's libc is older than the library's, run this interpreter"
    " under the libc that came with the library: LIBDIR/ld-linux-x86-64.so.2 --library-path LIBDIR python -m pytest"
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "libqpl: needs the library")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("libqpl"):
        try:
            qpl.load()
        except qpl.LibraryNotFoundError as problem:
            pytest.skip(f"{str(problem).splitlines()[1].strip()}; {REMEDY}")
