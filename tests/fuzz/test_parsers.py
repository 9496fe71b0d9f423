"""Whatever the bytes are, a parser ends with what it read, or with its own error: no other exception comes out.

Each target is tried so often as ``MULTIFD_FUZZ`` says, which is little unless it is set: docs/fuzzing.md. What it finds
is minimised by Hypothesis, and belongs into a test of its own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multifd.advice.whom import host
from multifd.device.recorded_host import RecordedHost
from multifd.errors import InputError, WireError
from multifd.framing.deflate import walk
from multifd.framing.walked import DeflateError
from multifd.memory.image import GuestMemory
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.migrate.apply import Destination
from multifd.migrate.capture import MANIFEST
from multifd.profile.load import load
from multifd.result import store
from multifd.wire.dialect import DIALECTS, Dialect
from multifd.wire.main_reader import MainReader
from multifd.wire.packet import INIT_SIZE
from tests.fuzz.connections import spliced, tapped
from tests.fuzz.mutation import damaged
from tests.fuzz.targets import CAPTURES, CHANNELS, MAINS, MANIFESTS, dissect, receive, replay
from tests.reports.builder import realistic

ROOT: Final = Path(__file__).resolve().parents[2]
EXECUTIONS: Final = int(os.environ.get("MULTIFD_FUZZ", "60"))
CAPTURE: Final = CAPTURES[0]
STREAMS: Final = [CAPTURE.main_path.read_bytes() if CAPTURE.main_path else b"", *CHANNELS[:2]]
"""Of :data:`CAPTURE`."""
PROFILES: Final = [
    path.read_bytes() for path in (*sorted((ROOT / "hwprofiles").glob("*.yaml")), *ROOT.glob("examples/*/profile.yaml"))
]
HOSTS: Final = [path.read_bytes() for path in sorted((ROOT / "tests/device/hosts").glob("*.txt"))[:8]]
VERSIONS: Final = [(ROOT / f"tests/result/version-{number}.json").read_bytes() for number in (1, 2)]
DIAGNOSIS: Final = json.dumps(
    {"devices": [{"kind": "qat", "usable": True}], "qemu": [{"version": "qemu-9.2", "methods": ["none", "zlib"]}]}
).encode()

fuzzed: Final = settings(
    max_examples=EXECUTIONS,
    deadline=None,
    derandomize="MULTIFD_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def destinations() -> Iterator[list[Destination]]:
    """Memory for each of the captures, which is never looked at."""
    scratch = make_scratch(1 << 20)
    memories = [
        GuestMemory.create(scratch / str(number), capture.manifest.ramblocks, capture.manifest.page_size)
        for number, capture in enumerate(CAPTURES)
    ]
    yield [Destination(memory) for memory in memories]
    for memory in memories:
        memory.close()
    remove_scratch(scratch)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for one test, in memory and with a short path."""
    scratch = make_scratch(1 << 20, sockets=True)
    yield scratch
    remove_scratch(scratch)


# A migration


@fuzzed
@given(damaged(CHANNELS), st.sampled_from(list(DIALECTS.values())), st.sampled_from((4096, 16384, 65536)))
def test_packets_are_read_or_refused(content: bytes, spoken: Dialect, page_size: int) -> None:
    dissect(content, spoken, page_size)


@fuzzed
@given(damaged(CHANNELS), st.integers(0, len(CAPTURES) - 1))
def test_a_channel_is_received_or_refused(destinations: list[Destination], content: bytes, which: int) -> None:
    receive(content, CAPTURES[which], destinations[which])


@fuzzed
@given(damaged(MAINS), st.sampled_from((4096, 16384, 65536)), st.integers(1, 5000))
def test_a_main_channel_is_read_or_refused(content: bytes, page_size: int, piece: int) -> None:
    reader = MainReader(page_size)

    with suppress(WireError):
        for at in range(0, len(content), piece):
            reader.feed(content[at : at + piece])
        reader.finish()


@fuzzed
@given(damaged([content[INIT_SIZE + 1344 :] for content in CHANNELS]), st.integers(0, 1 << 15))
def test_a_stream_of_deflate_is_walked_or_refused(content: bytes, history: int) -> None:
    with suppress(DeflateError):
        walk(content, history=history)


@fuzzed
@given(damaged(MANIFESTS, text=True))
def test_a_manifest_is_read_or_refused(place: Path, content: bytes) -> None:
    (place / "channel-0.bin").write_bytes(CHANNELS[0])
    (place / "channel-1.bin").write_bytes(CHANNELS[1])
    (place / MANIFEST).write_bytes(content)

    replay(place)


@fuzzed
@given(st.integers(0, 2), st.data())
def test_a_splice_is_through_or_refuses(place: Path, which: int, data: st.DataObject) -> None:
    spliced(CAPTURE, _with_damage(which, data), _empty(place))


@fuzzed
@given(st.integers(0, 2), st.data())
def test_a_tap_records_or_says_why_not(place: Path, which: int, data: st.DataObject) -> None:
    tapped(CAPTURE, _with_damage(which, data), _empty(place))


def _with_damage(which: int, data: st.DataObject) -> list[bytes]:
    """One of the streams is damaged, behind the magic that says what it is: an end waits for a main that never says."""
    content = STREAMS[which]
    return [*STREAMS[:which], content[:4] + data.draw(damaged([content[4:]])), *STREAMS[which + 1 :]]


def _empty(directory: Path) -> Path:
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return directory


# Files of users


@fuzzed
@given(damaged(PROFILES, text=True))
def test_a_profile_is_read_or_refused(place: Path, content: bytes) -> None:
    path = place / "profile.yaml"
    path.write_bytes(content)

    with suppress(InputError):
        load(str(path))


@fuzzed
@given(damaged(HOSTS, text=True))
def test_a_record_of_a_lab_host_is_read_or_refused(place: Path, content: bytes) -> None:
    path = place / "lab.txt"
    path.write_bytes(content)

    with suppress(InputError):
        RecordedHost.read(path).plant(_empty(place) / "host")


@fuzzed
@given(damaged([DIAGNOSIS], text=True))
def test_a_diagnosis_is_read_or_refused(place: Path, content: bytes) -> None:
    path = place / "lab.json"
    path.write_bytes(content)

    with suppress(InputError):
        host(str(path), "--to")


# What runs leave


@fuzzed
@given(damaged(VERSIONS, text=True))
def test_results_are_read_or_refused(place: Path, content: bytes) -> None:
    (place / store.RESULTS).write_bytes(content)

    with suppress(InputError):
        store.load(place)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Events of a run."""
    directory, whole = tmp_path_factory.mktemp("run"), realistic()
    written = store.EventLog(directory)
    written.write_run(whole.run)
    for cell in whole.cells[:4]:
        written.write_plan(cell)
    for cell in whole.cells[:4]:
        written.write_cell(cell)
    written.planned()
    written.close()
    return (directory / store.EVENTS).read_bytes()


@fuzzed
@given(st.data())
def test_a_log_is_read_or_refused(place: Path, log: bytes, data: st.DataObject) -> None:
    (place / store.EVENTS).write_bytes(data.draw(damaged([log], text=True)))

    with suppress(InputError):
        store.load(place)


def test_the_seeds_are_whole() -> None:
    assert all(isinstance(yaml.safe_load(content), dict) for content in PROFILES)
    assert HOSTS
