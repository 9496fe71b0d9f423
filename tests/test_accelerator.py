"""The records of accelerators: what they name exists, and nobody else names it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from multifd.accelerator import ACCELERATORS, VENDOR, Accelerator, by_codec, by_method, by_name, emulates
from multifd.codec import create, factories
from multifd.device.diagnose import detection
from multifd.device.sysfs import Host
from multifd.framing.model import METHOD_FRAMINGS

PACKAGE: Final = Path(__file__).resolve().parents[1] / "multifd"
OWN: Final = {"accelerator.py", "codec", "scrutiny", "fidelity"}
SAID: Final = {"oracle/words.py", "result/exchange.py"}
"""What each codec says of what it refuses, and whom the thread speaks of."""
"""Where the names of devices belong, besides their detection: the records, the codecs, what is about one library."""

EVERY: Final = pytest.mark.parametrize("accelerator", ACCELERATORS.values(), ids=ACCELERATORS)


@EVERY
def test_its_detection_is_found_by_its_kind(accelerator: Accelerator, tmp_path: Path) -> None:
    assert detection(accelerator.kind)(Host(tmp_path)) == ()


@EVERY
def test_its_emulation_says_that_it_is_one_and_of_which_device(accelerator: Accelerator) -> None:
    codec = create(accelerator.emulated)

    assert (codec.device, codec.provenance) == (accelerator.name, "emulated")


@EVERY
def test_its_method_is_one_of_qemus(accelerator: Accelerator) -> None:
    assert accelerator.method in METHOD_FRAMINGS


@pytest.mark.parametrize("name", VENDOR)
def test_a_codec_over_a_library_has_a_path_to_choose_or_none(name: str) -> None:
    assert ("path" in factories()[name].parameters) is VENDOR[name].chooses_path


def test_records_are_found_by_what_others_know_of_them() -> None:
    assert [by_method(each.method) for each in ACCELERATORS.values()] == [*ACCELERATORS.values()]
    assert [by_name(each.name) for each in ACCELERATORS.values()] == [*ACCELERATORS.values()]
    assert [by_codec(name).real for name in VENDOR] == [*VENDOR.values()]
    assert (by_method("zlib"), by_name("GPU"), by_name(None)) == (None, None, None)


def test_of_all_codecs_only_those_of_the_records_emulate() -> None:
    assert {name for name in factories() if emulates(name)} == {each.emulated for each in ACCELERATORS.values()}


def test_the_names_of_a_device_stand_nowhere_else() -> None:
    names = {
        name
        for each in ACCELERATORS.values()
        for name in (each.kind, each.name, each.emulated)
    } | {name for codec in VENDOR.values() for name in (codec.library, codec.soname, codec.package)}  # fmt: skip
    detections = {PACKAGE / f"device/{kind}.py" for kind in ACCELERATORS}
    elsewhere = [
        (path.relative_to(PACKAGE).as_posix(), node.value)
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in OWN and path not in detections
        if path.relative_to(PACKAGE).as_posix() not in SAID
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    ]

    assert elsewhere == []
