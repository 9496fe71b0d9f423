"""Fetching: what is done, what is left alone, and what remains of a fetch that failed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from multifd.errors import EnvironmentBroke, InputError
from multifd.libraries import cache, wish
from multifd.libraries.fetch import LOADER, fetch
from multifd.libraries.wish import NOT_NEEDED

WISH = wish.libraries("sid")
CLOSURE = ("gcc-16-base_16.2.0-4_amd64", "libc6_2.43-7_amd64", "libqpl1_1.9.0-1_amd64")


class Mirror:
    """A runner in the place of apt and dpkg: packages are files that name themselves."""

    def __init__(self, *packages: str) -> None:
        self.packages = packages or CLOSURE
        self.commands: list[tuple[str, ...]] = []
        self.broken: str | None = None
        self.lacking: tuple[str, ...] = ()
        self.library_folder = "usr/lib/x86_64-linux-gnu"

    def __call__(self, command: Sequence[str], directory: Path, seconds: float) -> str:
        self.commands.append(tuple(command))
        program, action = command[0], next((word for word in command if word in self.actions), "unpack")
        if action == self.broken:
            raise EnvironmentBroke(f"{program}: broken")
        if action == "policy":
            there = (name for name in command[command.index(action) + 1 :] if name not in self.lacking)
            return "".join(f"{name}:\n  Installed: (none)\n  Candidate: 1.0-1\n  Version table:\n" for name in there)
        if action == "install":
            return "".join(f"'http://mirror.example/{name}.deb' {name}.deb 1 SHA256:0\n" for name in self.packages)
        if action == "download":
            for exact in command[command.index(action) + 1 :]:
                name, _, version = exact.partition("=")
                (directory / f"{name}_{version}_amd64.deb").write_text(exact)
        if action == "unpack":
            folder = Path(command[3], self.library_folder)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / (LOADER if "libc6_" in command[2] else Path(command[2]).name)).touch()
        return ""

    actions = ("update", "policy", "install", "download")

    @property
    def done(self) -> list[str]:
        """What was asked for, in order."""
        return [next((word for word in command if word in self.actions), "unpack") for command in self.commands]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    root = tmp_path / "system"
    (root / "etc/apt").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    (root / "etc/apt/sources.list").write_text("deb http://mirror.example/debian bookworm main\n")
    return root


def test_a_tree_is_resolved_downloaded_unpacked_and_recorded(tmp_path: Path, system: Path) -> None:
    mirror = Mirror()

    tree = fetch(WISH, tmp_path / "v", system=system, runner=mirror)

    assert mirror.done == ["update", "policy", "install", "download", "unpack", "unpack"]
    assert tree.root == tmp_path / "v/libraries-sid"
    assert [(one.name, one.version, one.sha256) for one in tree.manifest.packages] == [
        ("libc6", "2.43-7", hashlib.sha256(b"libc6=2.43-7").hexdigest()),
        ("libqpl1", "1.9.0-1", hashlib.sha256(b"libqpl1=1.9.0-1").hexdigest()),
    ]
    assert tree.manifest.suites == ("sid",)


def test_a_tree_of_libraries_runs_python_under_its_loader(tmp_path: Path, system: Path) -> None:
    tree = fetch(WISH, tmp_path, system=system, runner=Mirror())

    folder = f"{tmp_path}/libraries-sid/usr/lib/x86_64-linux-gnu"
    assert tree.command == (f"{folder}/{LOADER}", "--library-path", folder)


def test_a_tree_of_qemu_runs_it_under_its_loader(tmp_path: Path, system: Path) -> None:
    mirror = Mirror("libc6_2.36-9_amd64", "qemu-system-x86_10.0_amd64")
    mirror.library_folder = "lib/x86_64-linux-gnu"

    tree = fetch(wish.QEMU[0], tmp_path, system=system, runner=mirror)

    root = f"{tmp_path}/qemu-bookworm-backports"
    assert tree.command == (
        f"{root}/lib/x86_64-linux-gnu/{LOADER}",
        "--library-path",
        f"{root}/lib/x86_64-linux-gnu",
        f"{root}/usr/bin/qemu-system-x86_64",
        *("-L", f"{root}/usr/share/qemu"),
        *("-L", f"{root}/usr/share/seabios"),
    )


def test_a_suite_of_backports_is_preferred_over_the_one_below_it(tmp_path: Path, system: Path) -> None:
    fetch(wish.QEMU[0], tmp_path, system=system, runner=Mirror())

    apt = tmp_path / "apt/bookworm-backports"
    assert "Suites: bookworm bookworm-backports\n" in (apt / "sources.list.d/multifd.sources").read_text()
    assert 'APT::Default-Release "bookworm-backports";' in (apt / "apt.conf").read_text()


def test_a_second_fetch_of_the_same_versions_downloads_nothing(tmp_path: Path, system: Path) -> None:
    first = fetch(WISH, tmp_path, system=system, runner=Mirror())
    mirror = Mirror()

    second = fetch(WISH, tmp_path, system=system, runner=mirror)

    assert mirror.done == ["update", "policy", "install"]
    assert second == first


def test_a_refresh_repeats_everything(tmp_path: Path, system: Path) -> None:
    fetch(WISH, tmp_path, system=system, runner=Mirror())
    mirror = Mirror()

    fetch(WISH, tmp_path, refresh=True, system=system, runner=mirror)

    assert mirror.done == ["update", "policy", "install", "download", "unpack", "unpack"]


def test_a_newer_version_replaces_the_tree(tmp_path: Path, system: Path) -> None:
    fetch(WISH, tmp_path, system=system, runner=Mirror())

    tree = fetch(WISH, tmp_path, system=system, runner=Mirror("libc6_2.43-7_amd64", "libqpl1_1.9.1-1_amd64"))

    assert tree.version("libqpl1") == "1.9.1-1"
    assert not (tree.root / "usr/lib/x86_64-linux-gnu/libqpl1_1.9.0-1_amd64.deb").exists()


@pytest.mark.parametrize("step", ["update", "policy", "install", "download", "unpack"])
def test_a_fetch_that_fails_leaves_no_tree(tmp_path: Path, system: Path, step: str) -> None:
    mirror = Mirror()
    mirror.broken = step

    with pytest.raises(EnvironmentBroke, match="broken"):
        fetch(WISH, tmp_path / "v", system=system, runner=mirror)

    assert cache.trees(tmp_path / "v") == ()
    assert {path.name for path in (tmp_path / "v").iterdir()} == {".lock", "apt"}


@pytest.mark.parametrize("step", ["update", "policy", "install", "download", "unpack"])
def test_a_refresh_that_fails_leaves_the_tree_that_was_there(tmp_path: Path, system: Path, step: str) -> None:
    before = fetch(WISH, tmp_path, system=system, runner=Mirror())
    mirror = Mirror()
    mirror.broken = step

    with pytest.raises(EnvironmentBroke, match="broken"):
        fetch(WISH, tmp_path, refresh=True, system=system, runner=mirror)

    assert cache.trees(tmp_path) == (before,)


def test_a_suite_without_a_loader_is_refused(tmp_path: Path, system: Path) -> None:
    with pytest.raises(InputError) as error:
        fetch(WISH, tmp_path, system=system, runner=Mirror("libqpl1_1.9.0-1_amd64"))

    assert str(error.value) == ("suite is 'sid': none of its packages brings ld-linux-x86-64.so.2; choose another one")


def test_a_suite_that_lacks_a_library_still_gives_the_other_and_it_is_said(tmp_path: Path, system: Path) -> None:
    mirror, lines = Mirror("libc6_2.43-7_amd64", "libqatzip3_2.0.0-2_amd64"), list[str]()
    mirror.lacking = ("libqpl1", "libaccel-config1")

    tree = fetch(wish.libraries("trixie"), tmp_path, progress=lines.append, system=system, runner=mirror)

    (install,) = (command for command in mirror.commands if "install" in command)
    assert install[-1:] == ("libqatzip3",)
    assert tree.version("libqpl1") is None
    assert lines[1:3] == [
        "libraries-trixie: trixie has no libqpl1, the rest is fetched",
        "libraries-trixie: trixie has no libaccel-config1, the rest is fetched",
    ]


def test_a_suite_that_has_nothing_of_it_is_refused(tmp_path: Path, system: Path) -> None:
    mirror = Mirror()
    mirror.lacking = WISH.packages

    with pytest.raises(InputError) as error:
        fetch(WISH, tmp_path, system=system, runner=mirror)

    assert str(error.value) == (
        "suite is 'sid': it has none of libqatzip3, libqpl1, libaccel-config1; choose a newer one with --suite"
    )


def test_libqpl_comes_with_the_library_that_it_opens_itself() -> None:
    assert wish.libraries("sid").packages == ("libqatzip3", "libqpl1", "libaccel-config1")
    assert wish.libraries("sid", ["qatzip"]).packages == ("libqatzip3",)


@pytest.mark.parametrize(
    ("asked", "wishes"),
    [
        ((), {"libraries-sid": ("libqatzip3", "libqpl1", "libaccel-config1")}),
        (("trixie",), {"libraries-trixie": ("libqatzip3", "libqpl1", "libaccel-config1")}),
        (
            ("libqatzip=trixie",),
            {"libqatzip-trixie": ("libqatzip3",), "libqpl-sid": ("libqpl1", "libaccel-config1")},
        ),
        (
            ("trixie", "libqpl=forky"),
            {"libqatzip-trixie": ("libqatzip3",), "libqpl-forky": ("libqpl1", "libaccel-config1")},
        ),
        (
            ("libqpl=forky", "libqatzip=forky"),
            {"libraries-forky": ("libqatzip3", "libqpl1", "libaccel-config1")},
        ),
    ],
)
def test_each_library_comes_from_its_suite(asked: tuple[str, ...], wishes: dict[str, tuple[str, ...]]) -> None:
    assert {each.name: each.packages for each in wish.by_suite(asked, "sid")} == wishes


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("qpl=sid",), "--suite qpl=sid: library is 'qpl', expected one of libqatzip, libqpl"),
        (("=sid",), "--suite =sid: library is '', expected one of libqatzip, libqpl"),
        (("libqpl=",), "suite is '', expected a name such as 'sid' or 'trixie'"),
        (("sid", "trixie"), "--suite trixie: the suite of all libraries is 'sid' already"),
        (("libqpl=sid", "libqpl=trixie"), "--suite libqpl=trixie: libqpl is 'sid' already"),
    ],
)
def test_what_asks_for_no_library_or_twice_is_refused(asked: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as error:
        wish.by_suite(asked, "sid")

    assert str(error.value) == message


def test_progress_is_told_line_by_line(tmp_path: Path, system: Path) -> None:
    lines: list[str] = []

    fetch(WISH, tmp_path, progress=lines.append, system=system, runner=Mirror())
    fetch(WISH, tmp_path, progress=lines.append, system=system, runner=Mirror())

    assert lines == [
        "libraries-sid: reading the lists of sid",
        "libraries-sid: downloading 2 packages",
        f"libraries-sid: 2 packages in {tmp_path}/libraries-sid",
        "libraries-sid: reading the lists of sid",
        f"libraries-sid: up to date in {tmp_path}/libraries-sid",
    ]


@pytest.mark.parametrize("name", ["", "Sid", "sid main", "../sid", "-o"])
def test_what_cannot_be_a_suite_is_refused(name: str) -> None:
    with pytest.raises(InputError) as error:
        wish.libraries(name)

    assert str(error.value) == f"suite is {name!r}, expected a name such as 'sid' or 'trixie'"


@pytest.mark.parametrize("name", ["libc6", "libgcc-s1", "libstdc++6", "libqat4", "zlib1g", "libsystemd0"])
def test_what_is_loaded_is_needed(name: str) -> None:
    assert NOT_NEEDED.fullmatch(name) is None


def test_every_qemu_has_a_folder_of_its_own() -> None:
    names = [one.name for one in (WISH, *wish.QEMU)]

    assert len(set(names)) == len(names) == 4
