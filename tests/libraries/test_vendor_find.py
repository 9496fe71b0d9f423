"""Which library is used: the order of the search, and under which loader Python must run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multifd.device import sysfs
from multifd.device.recorded_host import RecordedHost
from multifd.errors import InputError
from multifd.libraries import cache, find
from multifd.libraries.cache import Manifest, Package
from multifd.libraries.fetch import LOADER
from multifd.libraries.find import Host, Library, Origin
from tests.libraries.elves import library

HOSTS = Path(__file__).resolve().parents[1] / "device/hosts"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def put(folder: Path, soname: str = "libqpl.so.1", glibc: str = "2.34") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / soname).write_bytes(library({"libc.so.6": [f"GLIBC_{glibc}"]}))
    return folder


def tree(root: Path, glibc: str = "2.43") -> Path:
    (root / LIBRARIES).mkdir(parents=True)
    (root / LIBRARIES / LOADER).touch()
    packages = {"libc6": f"{glibc}-7", "libqpl1": "1.9.0-1", "libqatzip3": "2.0.0-2"}
    manifest = Manifest(
        suites=("sid",),
        fetched=datetime(2026, 1, 2, tzinfo=UTC),
        packages=tuple(
            Package(name=name, version=version, architecture="amd64", sha256="") for name, version in packages.items()
        ),
        loader=f"{LIBRARIES}/{LOADER}",
        library_path=(LIBRARIES,),
        command=(),
    )
    cache.save(manifest, root)
    return root


def host(*folders: Path) -> Host:
    return Host(glibc=(2, 36), loader=Path("/lib64", LOADER), folders=folders)


def test_the_callers_folders_come_first_then_the_host_then_what_was_fetched(tmp_path: Path) -> None:
    put(tree(tmp_path / "v/libraries-sid") / LIBRARIES)
    folders = put(tmp_path / "local"), put(tmp_path / "lab")

    found = find.candidates([folders[1]], host(folders[0]), tmp_path / "v")

    assert [(one.origin, one.path.parent) for one in found] == [
        ("profile", tmp_path / "lab"),
        ("host", tmp_path / "local"),
        ("fetched", tmp_path / "v/libraries-sid" / LIBRARIES),
    ]


def test_a_library_that_is_reached_twice_counts_once(tmp_path: Path) -> None:
    put(tmp_path / "lib")
    (tmp_path / "link").symlink_to(tmp_path / "lib")

    (found,) = find.candidates([tmp_path / "link"], host(tmp_path / "lib"), tmp_path / "v")

    assert found.path == tmp_path / "link/libqpl.so.1"


def test_each_codec_has_its_library(tmp_path: Path) -> None:
    put(tmp_path / "lib")
    put(tmp_path / "lib", "libqatzip.so.3")

    found = find.candidates([tmp_path / "lib"], host(), tmp_path / "v")

    assert {one.name: one.path.name for one in found} == {"qpl": "libqpl.so.1", "qatzip": "libqatzip.so.3"}


def test_the_root_of_a_tree_stands_for_its_library_folder(tmp_path: Path) -> None:
    put(tree(tmp_path / "t") / LIBRARIES, "libqatzip.so.3")

    (found,) = find.candidates([tmp_path / "t"], host(), tmp_path / "v")

    assert (found.path, found.version) == (tmp_path / "t" / LIBRARIES / "libqatzip.so.3", "2.0.0-2")


def test_a_library_for_the_hosts_glibc_runs_plainly(tmp_path: Path) -> None:
    (found,) = find.candidates([], host(put(tmp_path, glibc="2.36")), tmp_path / "v")

    assert (found.loader, found.problem, found.glibc) == ((), None, (2, 36))


def test_a_library_beside_a_loader_runs_under_it_even_if_the_hosts_glibc_would_do(tmp_path: Path) -> None:
    folder = put(tree(tmp_path / "v/libraries-sid") / LIBRARIES, glibc="2.3")

    (found,) = find.candidates([], host(), tmp_path / "v")

    assert found.loader == (str(folder / LOADER), "--library-path", str(folder))


def test_the_hosts_own_loader_is_not_put_before_python(tmp_path: Path) -> None:
    folder = put(tmp_path / "lib")
    (folder / LOADER).touch()
    (tmp_path / "lib64").symlink_to(folder)

    (found,) = find.candidates([], Host((2, 36), tmp_path / "lib64" / LOADER, (folder,)), tmp_path / "v")

    assert found.loader == ()


def test_a_library_that_is_too_new_borrows_the_loader_of_a_tree(tmp_path: Path) -> None:
    borrowed = tree(tmp_path / "v/libraries-sid") / LIBRARIES
    folder = put(tmp_path / "lab", glibc="2.43")

    (found,) = find.candidates([folder], host(), tmp_path / "v")

    assert found.loader == (str(borrowed / LOADER), "--library-path", f"{folder}:{borrowed}")


def test_a_library_that_is_too_new_for_everything_says_so(tmp_path: Path) -> None:
    tree(tmp_path / "v/libraries-sid", glibc="2.41")
    folder = put(tmp_path / "lab", glibc="2.43")

    (found,) = find.candidates([folder], host(), tmp_path / "v")

    assert found.problem == ("needs glibc 2.43, the host has 2.36: fetch a newer one with 'multifd vendor fetch'")


def test_a_file_that_is_no_library_says_so(tmp_path: Path) -> None:
    (tmp_path / "libqpl.so.1").write_bytes(b"text")

    (found,) = find.candidates([tmp_path], host(), tmp_path / "v")

    assert (
        found.problem
        == f"{tmp_path}/libqpl.so.1: starts with 74657874, expected 7f454c460201 (64-bit little-endian ELF)"
    )


def test_a_library_that_cannot_be_loaded_does_not_shadow_one_that_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(put(tmp_path / "good", glibc="2.2.5")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "libqpl.so.1").write_bytes(b"text")

    found = find.libraries([tmp_path])

    assert found["qpl"].path == tmp_path / "good/libqpl.so.1"


def test_a_version_is_read_from_the_pkg_config_file(tmp_path: Path) -> None:
    put(tmp_path, "libqatzip.so.3")
    (tmp_path / "pkgconfig").mkdir()
    (tmp_path / "pkgconfig/qatzip.pc").write_text("Name: QATzip\nVersion: 1.3.1\nLibs: -L/usr/lib -lqatzip\n")

    (found,) = find.candidates([tmp_path], host(), tmp_path / "v")

    assert found.version == "1.3.1"


def test_the_folders_that_ldconfig_lists_are_searched() -> None:
    listing = (
        "3 libs found in cache `/etc/ld.so.cache'\n"
        "\tlibqpl.so.1 (libc6,x86-64) => /opt/qpl/lib/libqpl.so.1\n"
        "\tlibqpl.so.1 (libc6) => /opt/qpl/lib32/libqpl.so.1\n"
        "\tlibqatzip.so.3 (libc6,x86-64, OS ABI: Linux 3.2.0) => /usr/lib64/libqatzip.so.3\n"
    )

    assert list(find._configured(listing)) == [Path("/usr/lib64"), Path("/opt/qpl/lib")]


def test_this_host_has_a_glibc_and_looks_into_usr_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/a:/opt/b")

    here = Host.here()

    assert here.glibc >= (2, 2)
    assert here.folders[:2] == (Path("/opt/a"), Path("/opt/b"))
    assert here.folders.index(Path("/usr/local/lib")) < here.folders.index(Path("/usr/lib64"))


def plain(problem: str | None = None, loader: tuple[str, ...] = ()) -> Library:
    return Library("qpl", Path("/l/libqpl.so.1"), None, "host", loader, (2, 34), problem)


def test_python_is_put_behind_the_loader() -> None:
    command, _ = find.python_command(plain(loader=("/l/ld.so", "--library-path", "/l")), ("-m", "multifd.peer"))

    assert command == ("/l/ld.so", "--library-path", "/l", sys.executable, "-P", "-m", "multifd.peer")


def test_the_child_imports_what_this_process_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_here.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    command, environment = find.python_command(plain(), ("-c", "import only_here, multifd; print(only_here.answer)"))

    assert subprocess.check_output(command, env={**os.environ, **environment}, cwd="/", text=True) == "42\n"


def test_there_is_no_command_for_a_library_that_cannot_be_loaded() -> None:
    with pytest.raises(InputError) as error:
        find.python_command(plain(problem="needs glibc 2.43"), ())

    assert str(error.value) == "/l/libqpl.so.1: needs glibc 2.43"


def libqatzip(folder: Path, *needed: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libqatzip.so.3").write_bytes(library({name: [] for name in needed}))
    return folder


def qatlib(folder: Path, says: bytes = b"QAT_SOFTWARE_VERSION=26.8.0\0") -> Path:
    libqatzip(folder, "libqat.so.4", "libc.so.6")
    (folder / "libqat.so.4").write_bytes(library({"libc.so.6": []}, says=says))
    return folder


def facts(root: Path, *nodes: str) -> sysfs.Host:
    """A recorded host with these nodes."""
    for node in ("/etc/os-release", *nodes):
        (root / node.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / node.lstrip("/")).touch()
    return sysfs.Host(root)


def test_a_fetched_libqatzip_is_not_used_where_the_driver_package_serves_the_device(tmp_path: Path) -> None:
    qatlib(tree(tmp_path / "v/libraries-sid") / LIBRARIES)
    here = replace(host(), facts=facts(tmp_path / "host", "/dev/usdm_drv"))

    (found,) = find.candidates([], here, tmp_path / "v")

    assert found.problem is not None and found.problem.startswith("is linked to qatlib's libqat.so.4")
    assert find.chosen([found]) == {}


def test_naming_the_folder_of_a_fetched_libqatzip_does_not_make_it_fit(tmp_path: Path) -> None:
    folder = qatlib(tree(tmp_path / "v/libraries-sid") / LIBRARIES).parents[2]
    here = replace(host(), facts=facts(tmp_path / "host", "/dev/usdm_drv"))

    (found,) = find.candidates([folder], here, tmp_path / "v")

    assert (found.origin, found.problem is None) == ("profile", False)


def test_a_libqatzip_of_the_driver_package_fits_where_that_is(tmp_path: Path) -> None:
    folder = libqatzip(tmp_path / "lab", "libqat_s.so", "libusdm_drv_s.so")
    here = replace(host(folder), facts=facts(tmp_path / "host", "/dev/usdm_drv"))

    (beside,), (alone,) = find.candidates([], here, tmp_path / "v"), find.candidates([], host(folder), tmp_path / "v")

    assert (beside.problem, beside.warning) == (None, None)
    assert alone.warning is not None and "driver package, which does not run here" in alone.warning


@pytest.mark.parametrize(("running", "warned"), [("26.08", False), ("24.02", True), (None, False)])
def test_libqat_is_held_against_the_qatmgr_that_runs(tmp_path: Path, running: str | None, warned: bool) -> None:
    qatlib(tree(tmp_path / "v/libraries-sid") / LIBRARIES)

    (found,) = find.candidates([], replace(host(), qatmgr=running), tmp_path / "v")

    assert find.libqat(found) == "26.08.0"
    assert (found.problem, found.warning is not None) == (None, warned)


def test_a_recorded_host_tells_the_qatmgr_that_runs(tmp_path: Path) -> None:
    RecordedHost.read(HOSTS / "Q16.txt").plant(tmp_path)

    assert Host.here(sysfs.Host(tmp_path)).qatmgr == "24.02"


@pytest.mark.parametrize(
    ("there", "warning"), [(True, None), (False, "opens libaccel-config.so.1, which is not there")]
)
def test_libqpl_needs_what_it_opens_itself(tmp_path: Path, there: bool, warning: str | None) -> None:
    folder = put(tree(tmp_path / "v/libraries-sid") / LIBRARIES)
    if there:
        (folder / "libaccel-config.so.1").touch()

    (found,) = find.candidates([], host(), tmp_path / "v")

    assert (found.problem, (found.warning or "").partition(", so")[0] or None) == (None, warning)


def test_what_the_loader_finds_by_itself_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libaccel-config.so.1").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))

    (found,) = find.candidates([], host(put(tmp_path / "lib")), tmp_path / "v")

    assert found.warning is None


def test_a_library_that_is_too_old_for_qemu_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "libqatzip.so.3.0.1").write_bytes(library({"libc.so.6": []}))
    (tmp_path / "libqatzip.so.3").symlink_to("libqatzip.so.3.0.1")

    (found,) = find.candidates([tmp_path], host(), tmp_path / "v")

    assert (found.version, find.chosen([found])) == ("1.1.1", {})
    assert found.problem == "is libqatzip 1.1.1, expected at least 1.1.2, with which QEMU can be built"


def named(origin: Origin, path: str, warning: str | None = None) -> Library:
    return Library("qatzip", Path(path), None, origin, (), (2, 34), None, warning)


def test_a_library_that_reaches_its_device_comes_before_one_that_does_not() -> None:
    old, new = named("host", "/old", "computes in software"), named("fetched", "/new")

    assert find.chosen([old, new]) == {"qatzip": new}
    assert find.chosen([old]) == {"qatzip": old}


def test_a_library_whose_folder_was_named_is_used_all_the_same() -> None:
    ours = named("profile", "/ours", "computes in software")

    assert find.chosen([ours, named("host", "/other")]) == {"qatzip": ours}


def test_the_tree_of_the_last_fetch_comes_first(tmp_path: Path) -> None:
    for name, day in (("libraries-sid", 1), ("libraries-trixie", 2)):
        root = tree(tmp_path / "v" / name)
        put(root / LIBRARIES)
        manifest = cache.read(root).manifest  # type: ignore[union-attr]
        cache.save(manifest.model_copy(update={"fetched": datetime(2026, 1, day, tzinfo=UTC)}), root)

    first, _ = find.candidates([], host(), tmp_path / "v")

    assert first.path == tmp_path / "v/libraries-trixie" / LIBRARIES / "libqpl.so.1"
