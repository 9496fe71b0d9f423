"""A further accelerator is a record, its detection, its codec, and a place in the schema: four files."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]

RECORD: Final = """
TOY: Final = Accelerator(
    kind="toy",
    name="Toy",
    method="zlib",
    without="software",
    emulated="toy-emulated",
    real=None,
    counter=Registers("jobs", "/sys/toy/{pci}/jobs", (re.compile(r"^(\\d+)$"),)),
)

"""

DETECTION: Final = '''
"""A toy."""

from multifd.device.found import Device
from multifd.device.sysfs import Host


def detect(host: Host) -> tuple[Device, ...]:
    """The toy, where there is one."""
    names = (path.rpartition("/")[2] for path in host.find("/sys/toy/*"))
    return tuple(Device("toy", name, name, "toy", {}, (), ()) for name in names)
'''

CODEC: Final = '''
"""A toy, emulated."""

import zlib

from multifd.codec.contract import Factory
from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container

_ZLIB = frozenset({Container.ZLIB})


class _Toy:
    version, provenance, device = "1", "emulated", "Toy"
    encoder = EncoderCapability(_ZLIB, streaming=False, windows=frozenset({15}))
    decoder = DecoderCapability(
        _ZLIB, streaming=False, window=15, header_window=False, members=frozenset(), checks_trailer=True
    )

    def __init__(self, name):
        self.name = name

    def compress(self, data, container, window):
        return zlib.compress(data, 1)

    def decompress(self, data, container, size):
        return zlib.decompress(data)


FACTORY = Factory("toy-emulated", _Toy)
'''

ASKED: Final = """
import json, sys
from pathlib import Path
from multifd.cli.profile import describe
from multifd.device.diagnose import detect
from multifd.device.sysfs import Host
from multifd.evidence.counters import Counters
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.plan.matrix import PlanOptions, plan
from multifd.profile.load import load

host = Host(Path(sys.argv[1]))
found = detect(host)
lab = Path(sys.argv[1], "lab.yaml")
lab.write_text(describe(found))
profiles = {name: load(name) for name in ("auto", "software-only", str(lab))}
line_up = resolve("auto", profiles["auto"], None, device_peers(profiles["auto"], found, lambda _: {}))
with Counters(host, found) as counters:
    counts = counters.read()
print(json.dumps({
    "found": [device.name for device in found],
    "counts": counts,
    "policies": [profile.device("toy").policy for profile in profiles.values()],
    "peer": [peer.record().model_dump(mode="json") for peer in line_up.peers if peer.device == "Toy"],
    "cells": sorted({
        cell.framing for cell in plan(line_up, PlanOptions())
        if cell.sender == "toy-emulated" and cell.prediction.outcome == "identical"
    }),
}))
"""


def patched(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with a toy."""
    root = tmp_path_factory.mktemp("copy")
    for package in ("multifd", "hwprofiles"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    patched(root / "multifd/accelerator.py", "\nACCELERATORS: Final[", f"{RECORD}ACCELERATORS: Final[")
    patched(root / "multifd/accelerator.py", "(QAT, IAA, KUNPENG)", "(QAT, IAA, KUNPENG, TOY)")
    (root / "multifd/device/toy.py").write_text(DETECTION, encoding="utf-8")
    (root / "multifd/codec/toy_emulated.py").write_text(CODEC, encoding="utf-8")
    run(root, "-m", "multifd.profile.schema")
    return root


def run(root: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = (sys.executable, *arguments)
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def differing(compared: filecmp.dircmp[str], below: str = "") -> Iterator[str]:
    yield from (f"{below}{name}" for name in (*compared.diff_files, *compared.right_only))
    for name, inside in compared.subdirs.items():
        yield from differing(inside, f"{below}{name}/")


def test_it_touches_four_files(copy: Path) -> None:
    touched = [
        f"{package}/{name}"
        for package in ("multifd", "hwprofiles")
        for name in differing(filecmp.dircmp(ROOT / package, copy / package, ignore=["__pycache__"]))
    ]

    assert sorted(touched) == [
        "hwprofiles/profile.schema.json",
        "multifd/accelerator.py",
        "multifd/codec/toy_emulated.py",
        "multifd/device/toy.py",
    ]


def test_it_is_found_counted_planned_and_part_of_every_profile(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "sys/toy/one").mkdir(parents=True)
    (tmp_path / "sys/toy/one/jobs").write_text("7\n")

    seen: dict[str, Any] = json.loads(run(copy, "-c", ASKED, str(tmp_path)))

    assert (seen["found"], seen["counts"]) == (["one"], {"one one": 7})
    assert seen["policies"] == ["use", "skip", "emulate"]
    assert [(peer["name"], peer["provenance"]) for peer in seen["peer"]] == [("toy-emulated", "emulated")]
    assert "uadk" in seen["cells"]


def test_the_schema_lists_it(copy: Path) -> None:
    published = json.loads((copy / "hwprofiles/profile.schema.json").read_text(encoding="utf-8"))

    assert published["properties"]["devices"]["propertyNames"]["enum"] == ["qat", "iaa", "kunpeng", "toy", "others"]
