"""``multifd vendor``: what is fetched from where, and what is said of each library that is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.accelerator import VENDOR
from multifd.cli import vendor
from multifd.libraries import cache
from multifd.libraries.cache import Manifest, Package, Tree
from multifd.libraries.find import Host, Library
from multifd.libraries.packages import remedy
from multifd.libraries.probe import Probe
from multifd.libraries.sources import Release
from multifd.libraries.wish import Wish
from tests.cli.command import multifd

DEBIAN: Final = Release("Debian", "debian", frozenset({"bookworm"}))
QATZIP: Final = Library("qatzip", Path("/l/libqatzip.so.3"), "2.0.0", "host", (), (2, 34))
QPL: Final = Library("qpl", Path("/l/libqpl.so.1"), "1.9.0", "host", (), (2, 34))


def mirror(monkeypatch: pytest.MonkeyPatch, **lacking: str) -> list[Wish]:
    """Suites that have everything but these packages; what is wished for."""
    wishes: list[Wish] = []

    def fetch(wish: Wish, into: Path | None, *, refresh: bool, progress: Callable[[str], object]) -> Tree:
        wishes.append(wish)
        names = [name for name in wish.packages if name != lacking.get(wish.suites[-1])]
        packages = tuple(Package(name=name, version="1", architecture="amd64", sha256="") for name in names)
        manifest = Manifest(
            suites=wish.suites, fetched=datetime(2026, 1, 2, tzinfo=UTC), packages=packages, loader="ld.so",
            library_path=(), command=("{root}/ld.so",),
        )  # fmt: skip
        return Tree(Path("/v") / wish.name, manifest)

    monkeypatch.setattr(vendor, "fetch_wish", fetch)
    monkeypatch.setattr(Release, "of", lambda: DEBIAN)
    return wishes


def test_all_libraries_come_from_the_newest_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = mirror(monkeypatch)

    answer = multifd("vendor", "fetch")

    assert [wish.name for wish in wishes] == ["libraries-sid"]
    assert answer.out == "libraries-sid: runs with /v/libraries-sid/ld.so\n"


def test_a_library_that_the_suite_lacks_is_named_with_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror(monkeypatch, trixie="libqpl1")

    answer = multifd("vendor", "fetch", "--suite", "trixie")

    command = "multifd vendor fetch --suite trixie --suite libqpl=sid"
    assert answer.code == 0
    assert answer.out.splitlines()[1] == (f"libraries-trixie: libqpl is not in trixie; to have it from sid: {command}")


def test_the_command_that_is_named_fetches_both(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = mirror(monkeypatch, trixie="libqpl1")

    answer = multifd("vendor", "fetch", "--suite", "trixie", "--suite", "libqpl=sid")

    assert [wish.name for wish in wishes] == ["libqatzip-trixie", "libqpl-sid"]
    assert "is not in" not in answer.out


def test_a_library_asked_for_where_it_is_not_is_asked_for_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror(monkeypatch, trixie="libqpl1")

    answer = multifd("vendor", "fetch", "--suite", "libqpl=trixie", "--suite", "libqatzip=trixie")

    assert "to have it from sid: multifd vendor fetch --suite libqatzip=trixie --suite libqpl=sid\n" in answer.out


def test_a_library_that_the_newest_suite_lacks_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror(monkeypatch, sid="libqpl1")

    answer = multifd("vendor", "fetch")

    assert "libraries-sid: libqpl is not in sid; build it from github.com/intel/qpl\n" in answer.out


def test_a_library_that_there_is_not_is_a_mistake_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror(monkeypatch)

    answer = multifd("vendor", "fetch", "--suite", "libzstd=sid")

    assert (answer.code, answer.err) == (
        2, "multifd: --suite libzstd=sid: library is 'libzstd', expected one of libqatzip, libqpl\n",
    )  # fmt: skip


def found(monkeypatch: pytest.MonkeyPatch, *libraries: Library, broken: str | None = None) -> None:
    """These are on the host, without a fetched QEMU; one whose path says so does not load."""
    monkeypatch.setattr(vendor, "candidates", lambda search, host, into: libraries)
    monkeypatch.setattr(
        vendor, "probe", lambda one: Probe(None, one.problem or ("broken" if str(one.path) == broken else None))
    )
    monkeypatch.setattr(cache, "trees", lambda base: ())
    monkeypatch.setattr(Host, "here", lambda: Host((2, 36), Path("/lib64/ld.so"), ()))


def listed(monkeypatch: pytest.MonkeyPatch, *libraries: Library, broken: str | None = None) -> list[dict[str, Any]]:
    found(monkeypatch, *libraries, broken=broken)
    content: list[dict[str, Any]] = json.loads(multifd("vendor", "list", "--json").out)["libraries"]
    return content


def test_what_is_used_is_what_a_run_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    software = replace(QATZIP, path=Path("/old/libqatzip.so.3"), warning="computes in software")

    assert [each["used"] for each in listed(monkeypatch, software, QATZIP, QPL)] == [False, True, True]


def test_what_does_not_load_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    second = replace(QPL, path=Path("/other/libqpl.so.1"))

    assert [each["used"] for each in listed(monkeypatch, QPL, second, broken="/l/libqpl.so.1")] == [False, True]


def test_a_warning_and_what_is_opened_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, replace(QPL, warning="opens libaccel-config.so.1, which is not there"))
    monkeypatch.setattr(vendor, "opened", lambda library: {"libaccel-config.so.1": None})

    out = multifd("vendor", "list").out

    assert "qpl 1.9.0: used\n" in out
    assert "  opens    libaccel-config.so.1: not there\n" in out
    assert "  note     opens libaccel-config.so.1, which is not there\n" in out


def test_a_problem_is_shown_and_so_is_what_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, replace(QATZIP, problem="is libqatzip 1.1.0"))

    out = multifd("vendor", "list").out

    assert "qatzip 2.0.0: cannot be used: is libqatzip 1.1.0\n" in out
    assert f"qpl: not found; remedy: {remedy(VENDOR['qpl'])}\n" in out
