"""Which QEMU: what may be written after ``--qemu``, and the words in which the rest is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from multifd.errors import InputError
from multifd.libraries.cache import Manifest, Package, save
from multifd.qemu.arch import AARCH64, X86
from multifd.qemu.binary import AUTO, FOUND, Binary, checked, found, named

NOBODYS: Final = "/nowhere/qemu-system-x86_64"


@pytest.fixture(autouse=True)
def empty_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with an empty PATH and nothing fetched, and the run is started in its home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(home)


def program(path: Path) -> Path:
    """A program that is there and could be started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


ARGUMENTS: Final = ("--library-path", "{root}/lib", "{root}/bin/qemu", "-L", "{root}/share")


def fetched(
    tmp_path: Path, suite: str, package: str = "qemu-system-x86", arguments: tuple[str, ...] = ARGUMENTS
) -> tuple[str, ...]:
    """A tree as ``multifd vendor fetch`` leaves it; the command of its program."""
    root = tmp_path / f"cache/multifd/vendor/qemu-{suite}"
    program(root / "lib/ld.so")
    manifest = Manifest(
        suites=(suite,),
        fetched=datetime(2026, 1, 1),
        packages=(Package(name=package, version="1:10.0", architecture="amd64", sha256=""),),
        loader="lib/ld.so",
        library_path=("lib",),
        command=("{root}/lib/ld.so", *arguments),
    )
    save(manifest, root)
    return tuple(part.replace("{root}", str(root)) for part in manifest.command)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as error:
        named(text)
    return str(error.value)


# What may be written


def test_a_path(tmp_path: Path) -> None:
    path = program(tmp_path / "opt/qemu-system-x86_64")

    assert named(str(path)) == [Binary(command=(str(path),))]


def test_a_path_with_spaces_needs_no_quotes(tmp_path: Path) -> None:
    path = program(tmp_path / "my builds/qemu-system-x86_64")

    assert named(str(path)) == [Binary(command=(str(path),))]


def test_a_path_is_taken_from_where_the_run_was_started(tmp_path: Path) -> None:
    path = program(tmp_path / "home/build/qemu-system-x86_64")

    assert named("build/qemu-system-x86_64") == [Binary(command=(str(path),))]


def test_a_name_is_looked_for_in_path(tmp_path: Path) -> None:
    path = program(tmp_path / "bin/my-qemu")

    assert named("my-qemu") == [Binary(command=(str(path),))]


def test_a_command_line_is_quoted_as_for_a_shell(tmp_path: Path) -> None:
    loader = program(tmp_path / "bin/ld.so")

    (binary,) = named("ld.so --library-path '/opt/my lib' qemu -L /opt/my\\ share")

    assert binary.command == (str(loader), "--library-path", "/opt/my lib", "qemu", "-L", "/opt/my share")


# What is found


def test_found_is_the_hosts_own_and_then_the_fetched_ones(tmp_path: Path) -> None:
    own = program(tmp_path / "bin" / X86.program)
    trees = [fetched(tmp_path, suite) for suite in ("sid", "trixie")]

    assert named(FOUND) == found() == [Binary(command=command) for command in ((str(own),), *trees)]


def test_auto_is_the_hosts_own_and_no_other(tmp_path: Path) -> None:
    own = program(tmp_path / "bin" / X86.program)
    fetched(tmp_path, "sid")

    assert named(AUTO) == [Binary(command=(str(own),))]


def test_guests_of_every_architecture_are_found(tmp_path: Path) -> None:
    other, usual = (program(tmp_path / "bin" / arch.program) for arch in (AARCH64, X86))

    assert [binary.command for binary in found()] == [(str(usual),), (str(other),)]


def test_auto_is_one_the_usual_architecture_first(tmp_path: Path) -> None:
    other = program(tmp_path / "bin" / AARCH64.program)
    assert named(AUTO) == [Binary(command=(str(other),))]

    usual = program(tmp_path / "bin" / X86.program)
    assert named(AUTO) == [Binary(command=(str(usual),))]


def test_a_fetched_one_may_be_of_any_architecture(tmp_path: Path) -> None:
    command = fetched(tmp_path, "sid", package=AARCH64.package)

    assert found() == [Binary(command=command)]


def test_auto_is_none_where_the_host_has_none(tmp_path: Path) -> None:
    fetched(tmp_path, "sid")

    assert named(AUTO) == []


def test_fetched_libraries_are_no_qemu(tmp_path: Path) -> None:
    fetched(tmp_path, "sid", package="libqpl1")

    assert found() == []


def test_one_program_under_two_names_is_found_once(tmp_path: Path) -> None:
    loader, *_ = fetched(tmp_path, "sid", arguments=())
    own = tmp_path / "bin" / X86.program
    own.parent.mkdir()
    own.symlink_to(loader)

    assert len(found()) == 1


# What is refused


def test_found_on_a_host_without_any() -> None:
    assert refusal(FOUND) == (
        "--qemu found: no qemu-system-x86_64 in PATH and none fetched; install Debian's qemu-system-x86, or run"
        " 'multifd vendor fetch --qemu'"
    )


@pytest.mark.parametrize("text", [NOBODYS, "no-such-qemu", f"{NOBODYS} -L '/my share'"])
def test_a_program_that_does_not_exist(text: str) -> None:
    expected = repr(text)

    assert refusal(text) == f"--qemu {expected}: no such program; expected a path, a command line, or 'found'"


def test_nothing() -> None:
    assert refusal("") == "--qemu '': no such program; expected a path, a command line, or 'found'"


def test_quotes_that_do_not_end() -> None:
    assert refusal("'/opt/qemu") == '--qemu "\'/opt/qemu": is not a command line: No closing quotation'


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    path = program(tmp_path / "qemu.txt")
    path.chmod(0o644)

    assert refusal(str(path)) == f"--qemu '{path}': no such program; expected a path, a command line, or 'found'"


def test_who_asked_for_it_is_named() -> None:
    with pytest.raises(InputError) as error:
        checked(Binary(command=(NOBODYS,)), "profile: $.qemu[1].command")

    assert str(error.value) == (
        f"profile: $.qemu[1].command '{NOBODYS}': no such program; expected a path, a command line, or 'found'"
    )


def test_what_else_is_known_of_a_binary_stays(tmp_path: Path) -> None:
    path = program(tmp_path / "bin/qemu")
    given = Binary(command=("qemu", "-L", "/share"), environment={"LD_LIBRARY_PATH": "/lib"}, name="qemu-lab")

    assert checked(given) == given.model_copy(update={"command": (str(path), "-L", "/share")})
