"""libqatzip itself with a device that is none: its own routing, its own counts, held against what we say of them.

``libqat.c`` stands in for the library below it. So all above is real: which calls go to a device and in how many
requests, what the session's totals add up, and what a session that is told to stay off the device does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.codec import create
from multifd.framing.coder import Codec, Routed
from multifd.framing.container import Container
from multifd.libraries.find import Library, libraries, python_command

COMPILER: Final = shutil.which("cc")
SOURCE: Final = Path(__file__).with_name("libqat.c")
SIZES: Final = (1023, 1024, 4096, 65_536, 65_537, 524_288)
CONTAINERS: Final = tuple(
    each.value for each in (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)
)

PROGRAM: Final = """
import json, sys
from multifd.codec import create
from multifd.errors import MultifdError
from multifd.framing.container import Container

text = b"".join(b"page %d of some text; " % (number * number) for number in range(30_000))
parameters, steps = json.loads(sys.argv[1])
try:
    codec = create("qatzip", parameters)
except MultifdError as problem:
    print(json.dumps(str(problem)))
    sys.exit()
seen = []
for container, size in steps:
    page = text[:size]
    for decompress in (False, True):
        before, total = codec.tally(), codec._ledger.tally("", "bytes", counts=True).device
        if decompress:
            assert bytes(codec.decompress(packed, Container(container), size)) == page
        else:
            packed = bytes(codec.compress(page, Container(container), 15))
        after = codec.tally()
        jobs = None if after.device is None or before.device is None else after.device - before.device
        bytes_ = codec._ledger.tally("", "bytes", counts=True).device - total
        seen.append([codec.provenance, after.unit, jobs, after.software - before.software, bytes_])
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def library() -> Library:
    found = libraries().get("qatzip")
    if found is None:
        pytest.skip("no libqatzip on this host; remedy: multifd vendor fetch")
    return found


@pytest.fixture(scope="module")
def libqat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if COMPILER is None:
        pytest.skip("no C compiler; remedy: apt install gcc")
    built = tmp_path_factory.mktemp("libqat") / "libqat.so"
    options = ("-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-Wl,-soname,libqat.so.4")
    subprocess.run([COMPILER, *options, SOURCE, "-o", built], check=True)
    return built


class Silicon:
    """The library with the device, in a process of its own for every question."""

    def __init__(self, library: Library, libqat: Path) -> None:
        self._library, self._libqat = library, libqat

    def __call__(self, parameters: dict[str, int], *steps: tuple[str, int], **device: str) -> Any:
        command, environment = python_command(self._library, ["-c", PROGRAM, json.dumps([parameters, steps])])
        variables = {f"LIBQAT_{name.upper()}": value for name, value in device.items()}
        ended = subprocess.run(
            command,
            env={
                **os.environ,
                **environment,
                **variables,
                "LD_PRELOAD": str(self._libqat),
                "QATZIP_LIBRARY": str(self._library.path),
            },
            stdout=subprocess.PIPE,
            timeout=60,
            check=True,
        )
        return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def silicon(library: Library, libqat: Path) -> Silicon:
    return Silicon(library, libqat)


def jobs(codec: Codec) -> int:
    assert isinstance(codec, Routed)
    return codec.tally().device or 0


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_model_gives_the_device_as_many_jobs_as_the_library_does(container: str, silicon: Silicon) -> None:
    model = create("qat-emulated")
    text = b"".join(b"page %d of some text; " % (number * number) for number in range(30_000))
    expected = []
    for size in SIZES:
        before = jobs(model)
        packed = model.compress(text[:size], Container(container), 15)
        between = jobs(model)
        model.decompress(packed, Container(container), size)
        expected += [between - before, jobs(model) - between]

    seen = silicon({"path": 1}, *((container, size) for size in SIZES))

    assert [(provenance, unit) for provenance, unit, *_ in seen] == [("hardware", "jobs")] * 2 * len(SIZES)
    assert [count for _, _, count, _, _ in seen] == expected


def test_path_software_gives_the_device_nothing_though_it_is_there(silicon: Silicon) -> None:
    seen = silicon({"path": 2}, ("gzip-ext", 4096), ("raw", 65_536))

    assert seen == [["vendor-software", "bytes", None, 0, 0]] * 4


def test_what_the_library_forces_to_software_within_a_call_it_adds_to_its_totals_but_libqat_does_not(
    silicon: Silicon,
) -> None:
    _, (_, _, completed, _, total) = silicon({"path": 1}, ("raw", 524_288))

    assert (completed, total > 0) == (0, True)


def test_of_a_device_that_died_the_librarys_totals_go_on_and_libqats_jobs_do_not(silicon: Silicon) -> None:
    seen = silicon({"path": 1}, *[("gzip-ext", 4096)] * 3, life="3")

    assert [(completed, total > 0) for _, _, completed, _, total in seen] == [*[(1, True)] * 3, *[(0, True)] * 3]


def test_a_libqat_without_statistics_tells_nothing_rather_than_that_nothing_was_done(silicon: Silicon) -> None:
    seen = silicon({"path": 1}, ("gzip-ext", 4096), statistics="0")

    assert [completed for _, _, completed, _, _ in seen] == [None, None]


@pytest.mark.parametrize("why", [{"absent": "1"}, {"section": "missing"}])
def test_a_device_that_cannot_be_started_is_no_hardware_in_the_librarys_words(
    why: dict[str, str], silicon: Silicon
) -> None:
    assert silicon({"path": 1}, **why) == (
        "qatzip[path=1]: qzInit: QZ_NO_HW (11): no QAT device that this process could start"
    )


def test_without_software_to_fall_back_on_the_code_is_another(silicon: Silicon) -> None:
    assert silicon({"path": 1, "backup": 0}, absent="1") == (
        "qatzip[path=1,backup=0]: qzInit: QZ_NOSW_NO_HW (-101): no QAT device that this process could start"
    )


@pytest.mark.parametrize("requests", [1, 32])
@pytest.mark.parametrize("polling", [0, 1])
def test_however_it_waits_it_is_as_many_jobs(polling: int, requests: int, silicon: Silicon) -> None:
    seen = silicon({"path": 1, "polling": polling, "requests": requests, "forks": 0}, ("gzip-ext", 524_288))

    assert [completed for _, _, completed, _, _ in seen] == [8, 8]
