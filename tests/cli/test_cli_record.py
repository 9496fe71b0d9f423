"""``multifd record``: one migration of a real QEMU becomes a capture that replay and dissect read."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Final

import pytest

from multifd.migrate.capture import Manifest
from multifd.qemu.binary import Binary
from tests.cli.command import multifd
from tests.qemu.host import BINARIES, QEMU, facts, needs_qemu

METHODS: Final = ("none", "zlib", "zstd")
"""Those of Debian's QEMUs."""
every_binary: Final = pytest.mark.parametrize("binary", BINARIES or [QEMU], ids=lambda binary: binary.program)


@pytest.fixture
def new_qemu() -> Binary:
    """A QEMU of 9.0 or later."""
    new = next((binary for binary in BINARIES if facts(binary).zero_pages), None)
    if new is None:
        pytest.skip("no QEMU of 9.0 or later; remedy: run 'multifd vendor fetch --qemu'")
    return new


def record(binary: Binary, out: Path, *options: str) -> Manifest:
    """A capture of 2 MiB, and what its manifest says."""
    answer = multifd("record", "--qemu", shlex.join(binary.command), "--memory", "2M", *options, out)
    assert (answer.code, answer.err) == (0, "")
    return Manifest.model_validate_json((out / "manifest.json").read_text())


def refusal(*arguments: str | Path) -> str:
    """What a command that was refused says."""
    answer = multifd("record", *arguments)
    assert (answer.code, answer.out) == (2, "")
    return answer.err.removeprefix("multifd: ").removesuffix("\n")


@needs_qemu
@every_binary
@pytest.mark.parametrize("method", METHODS)
def test_what_a_qemu_sends_replays_identical(binary: Binary, method: str, tmp_path: Path) -> None:
    record(binary, tmp_path / "capture", "--method", method)

    answer = multifd("replay", "--json", tmp_path / "capture")

    result = json.loads(answer.out)
    assert (answer.code, result["outcome"], result["compared"]) == (0, "identical", ["m"])


@needs_qemu
@every_binary
@pytest.mark.parametrize("method", METHODS)
def test_what_a_qemu_sends_is_dissected(binary: Binary, method: str, tmp_path: Path) -> None:
    record(binary, tmp_path / "capture", "--method", method)

    answer = multifd("dissect", "--json", tmp_path / "capture")

    packets = [json.loads(line) for line in answer.out.splitlines()]
    assert answer.code == 0
    assert {packet["meaning"].removeprefix("SYNC").strip() for packet in packets if packet["normal"]} == {method}


@needs_qemu
def test_the_manifest_says_who_sent_what(tmp_path: Path) -> None:
    made = record(QEMU, tmp_path / "capture", "--channels", "3")

    said = facts(QEMU)
    assert (made.method, made.channels, made.dialect) == ("zlib", 3, said.dialect.name)
    assert made.source in (f"QEMU {said.release}", f"QEMU {said.release} ({said.package})")
    assert made.ramblocks["m"] == 2 << 20


def test_an_old_machine_type_keeps_its_habits(new_qemu: Binary, tmp_path: Path) -> None:
    made = record(new_qemu, tmp_path / "capture", "--machine", "pc-i440fx-7.2")

    assert made.main_sync == "eos"
    assert multifd("replay", tmp_path / "capture").code == 0


@pytest.mark.parametrize(("mode", "in_packets"), [("legacy", False), ("multifd", True)])
def test_zero_pages_travel_as_asked(mode: str, in_packets: bool, new_qemu: Binary, tmp_path: Path) -> None:
    record(new_qemu, tmp_path / "capture", "--zero-pages", mode)

    packets = map(json.loads, multifd("dissect", "--json", tmp_path / "capture").out.splitlines())

    assert any(packet["zero"] for packet in packets) == in_packets


@needs_qemu
@pytest.mark.parametrize("option", ["--method", "--machine"])
def test_what_the_binary_does_not_have_is_refused(option: str, tmp_path: Path) -> None:
    said = refusal("--qemu", shlex.join(QEMU.command), option, "lzo", tmp_path / "capture")

    assert said.startswith(f"{option} 'lzo': expected one of ")
    assert not (tmp_path / "capture").exists()


@pytest.mark.parametrize("memory", ["4096", "1025K"])
def test_memory_is_whole_pages(memory: str, tmp_path: Path) -> None:
    said = refusal("--qemu", "qemu", "--memory", memory, tmp_path / "capture")

    assert said == f"--memory {memory!r}: expected a multiple of 4K, at least 1M"


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("of value")

    said = refusal("--qemu", "qemu", tmp_path)

    assert said == f"OUT {str(tmp_path)!r}: is there already, expected a new or an empty directory"


def test_a_binary_that_is_none_is_refused(tmp_path: Path) -> None:
    said = refusal("--qemu", "/no/qemu", tmp_path / "capture")

    assert said == "--qemu '/no/qemu': no such program; expected a path, a command line, or 'found'"


@pytest.mark.skipif(len(BINARIES) < 2, reason="one QEMU at most; remedy: run 'multifd vendor fetch --qemu'")
def test_one_binary_is_recorded_at_a_time(tmp_path: Path) -> None:
    said = refusal("--qemu", "found", tmp_path / "capture")

    assert said.startswith(f"--qemu 'found': names {len(BINARIES)} QEMUs, expected one of: {BINARIES[0].command[0]}; ")
