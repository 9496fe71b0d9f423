"""From binaries to QEMU peers: who is asked for, what they are called, and what a first migration shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from multifd.campaign.conclude import probed
from multifd.campaign.options import Options
from multifd.errors import InputError
from multifd.lineup.qemus import binaries_of, resolve_qemus, unasked
from multifd.plan.whole import probe_cell
from multifd.profile.model import Profile
from multifd.qemu.binary import Binary
from tests.qemu.host import QEMU, needs_qemu

WITHIN: Final = 20.0


def profile(*qemus: Any) -> Profile:
    return Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}], "qemu": qemus})


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program that is there."""
    path = tmp_path / "qemu-system-x86_64"
    path.touch(mode=0o755)
    return str(path)


# Who is asked for


def test_the_command_line_comes_before_the_profile(program: str) -> None:
    entry = {"command": [program, "-L", "/share"], "environment": {"LD_LIBRARY_PATH": "/lib"}, "name": "qemu-lab"}

    binaries = binaries_of(profile(entry), [program])

    assert binaries == [
        Binary(command=(program,)),
        Binary(command=(program, "-L", "/share"), environment={"LD_LIBRARY_PATH": "/lib"}, name="qemu-lab"),
    ]


def test_one_that_is_named_twice_takes_part_once(program: str) -> None:
    assert binaries_of(profile({"command": [program]}), [program, program]) == [Binary(command=(program,))]


def test_found_may_stand_in_the_profile(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    assert binaries_of(profile("found"), []) == [Binary(command=(program,))]


def test_nobody_asked_for_any() -> None:
    assert binaries_of(profile(), []) == []


def in_path(program: str, monkeypatch: pytest.MonkeyPatch) -> Binary:
    monkeypatch.setenv("PATH", str(Path(program).parent))
    return Binary(command=(program,))


def test_auto_is_the_one_in_path(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = in_path(program, monkeypatch)

    assert (binaries_of(profile(), ["auto"]), unasked(profile(), ["auto"])) == ([own], True)


def test_auto_is_what_the_profile_names_if_it_names_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = tmp_path / "lab" / "qemu"
    lab.parent.mkdir()
    lab.touch(mode=0o755)
    theirs = profile({"command": [str(lab)]})

    assert (binaries_of(theirs, ["auto"]), unasked(theirs, ["auto"])) == ([Binary(command=(str(lab),))], False)


def test_who_names_one_has_asked_for_it(program: str) -> None:
    assert not unasked(profile(), [program])
    assert not unasked(profile(), ["found"])


def test_none_is_none_whatever_the_profile_names(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_path(program, monkeypatch)

    assert binaries_of(profile("found"), ["none"]) == []


def test_none_and_one_is_refused(program: str) -> None:
    with pytest.raises(InputError) as error:
        binaries_of(profile(), ["none", program])

    assert str(error.value) == "--qemu none: leaves real QEMUs out; expected no other --qemu beside it"


def test_an_entry_without_its_program_is_named_with_its_path(program: str) -> None:
    with pytest.raises(InputError) as error:
        binaries_of(profile({"command": [program]}, {"command": ["/nowhere/qemu", "-L", "x"]}), [])

    assert str(error.value) == (
        "profile: $.qemu[1].command '/nowhere/qemu -L x': no such program; expected a path, a command line, or 'found'"
    )


# What they are called, and what they show


@needs_qemu
def test_two_builds_of_one_version_are_numbered_and_each_is_probed() -> None:
    one, other = resolve_qemus([QEMU, QEMU], WITHIN)

    assert other.name == f"{one.name}[build=2]"
    assert one.name == f"qemu-{one.facts.release}"
    assert [probed(probe_cell(qemu), qemu, Options()).verdict for qemu in (one, other)] == ["pass", "pass"]


@needs_qemu
def test_a_name_may_be_given_but_not_twice() -> None:
    lab = QEMU.model_copy(update={"name": "qemu-lab"})

    with pytest.raises(InputError) as error:
        resolve_qemus([lab, lab.model_copy(update={"name": "qemu-lab[build=2]"}), lab], WITHIN)

    assert str(error.value) == (
        "QEMU names are qemu-lab, qemu-lab[build=2], qemu-lab[build=2], expected each once; give them different names"
    )


@needs_qemu
def test_a_first_migration_shows_what_else_a_guest_has() -> None:
    (qemu,) = resolve_qemus([QEMU], WITHIN)

    (ground,) = qemu.machines.values()
    assert set(ground.blocks) == {"m", *ground.sha256}
    assert {"pc.bios", "pc.rom", "/rom@etc/acpi/tables"} <= set(ground.sha256)
    assert list(qemu.machines) == [qemu.facts.machines[-1]]


@needs_qemu
def test_a_qemu_that_does_not_migrate_fails_its_probe() -> None:
    waiting = Binary(command=("/bin/sh", "-c", 'exec "$0" "$@" -incoming defer', *QEMU.command))

    (qemu,) = resolve_qemus([waiting], WITHIN)

    assert qemu.probe is not None
    assert qemu.probe.startswith("source refuses migrate uri=unix:")
    assert (probed(probe_cell(qemu), qemu, Options()).verdict, qemu.machines) == ("fail", {})
