"""Shared libraries of a host: found as its loader finds them, with the release that they are of."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from multifd.device import installed


def test_a_library_that_is_nowhere_has_no_version() -> None:
    assert installed.version("libnowhere.so.9") is None


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs a host with dpkg")
def test_a_packaged_library_has_its_packages_version() -> None:
    assert re.fullmatch(r"2\.\d+", installed.version("libc.so.6") or "")


def test_a_library_is_not_of_the_package_that_has_another_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libpthread.so.0").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))

    assert installed.version("libpthread.so.0") == "unknown"


def test_a_library_beside_its_description_has_that_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(tmp_path, "another", "Version: 7.0\nLibs: -lothers\nLibs.private: -lown")
    describe(tmp_path, "own", "Version: 1.2.3\nLibs: -L${libdir} -lown")

    assert version_of(tmp_path, monkeypatch) == "1.2.3"


def test_a_library_without_package_and_description_is_of_an_unknown_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert version_of(tmp_path, monkeypatch) == "unknown"


def describe(folder: Path, name: str, text: str) -> None:
    (folder / "pkgconfig").mkdir(exist_ok=True)
    (folder / f"pkgconfig/{name}.pc").write_text(text)


def version_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Of ``libown.so.1`` in a folder that the loader looks into."""
    (folder / "libown.so.1").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f":{folder}")
    return installed.version("libown.so.1")
