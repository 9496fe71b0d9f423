"""The preflight: a library that does not do a round trip on its device does not have one, whatever it says."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from multifd.device.found import Device
from multifd.errors import InputError
from multifd.libraries.find import Library
from multifd.lineup.preflight import Tried, preflight
from multifd.profile.model import Profile
from tests.lineup.pretender import FAILED, LOGGED, REFUSES, WORDS, pretending

QPL = Library("qpl", Path("libqpl.so.1"), "1.9.0", "host", (), (0, 0))


def profile(devices: dict[str, object], hello: float = 20, request: float = 30) -> Profile:
    return Profile.model_validate(
        {
            "description": "d",
            "peers": [{"codec": "zlib"}],
            "devices": devices,
            "deadlines": {"hello": hello, "request": request},
        }
    )


def tried(manner: str, codec: str = "qpl", **deadlines: float) -> Tried:
    devices: dict[str, object] = {{"qpl": "iaa", "qatzip": "qat"}[codec]: {"policy": "use"}}
    (one,) = preflight(profile(devices, **deadlines), lambda _: {codec: pretending(codec, manner)})
    return one


@pytest.mark.parametrize(("codec", "kind"), [("qpl", "iaa"), ("qatzip", "qat")])
def test_a_round_trip_on_the_device_makes_it_one_that_works(codec: str, kind: str) -> None:
    one = tried("Pretender", codec)

    assert (one.kind, one.library, one.roles, one.works) == (kind, codec, ("sender", "receiver"), True)
    assert one.words.startswith("one round trip worked in ")
    assert 0 < one.seconds < 30


def test_a_library_that_does_not_start_its_device_says_why_in_its_own_words() -> None:
    one = tried(REFUSES)

    assert (one.works, one.words) == (False, WORDS)


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("FallenBack", f"qpl says that it runs as vendor-software; its log ends: {LOGGED}"),
        (
            "FallsBack",
            "as sender: IAA did nothing: qpl ran as vendor-software;"
            " as receiver: IAA did nothing: qpl ran as vendor-software",
        ),
        (
            "Confesses",
            "as sender: the library computed 3 calls in software;"
            " as receiver: the library computed 3 calls in software",
        ),
        (
            "CountsNothing",
            "as sender: the library counted no work of the device (requests of the session);"
            " as receiver: the library counted no work of the device (requests of the session)",
        ),
    ],
)
def test_what_its_library_did_in_software_its_device_did_not(manner: str, words: str) -> None:
    one = tried(manner)

    assert (one.works, one.words) == (False, words)


@pytest.mark.parametrize(
    ("manner", "roles", "words"),
    [
        ("ReceivesOnly", ("receiver",), "as sender: QAT did nothing: qatzip ran as vendor-software"),
        ("SendsOnly", ("sender",), "as receiver: the library computed 1 calls in software"),
        ("FailsToSend", ("receiver",), f"as sender: {FAILED}"),
    ],
)
def test_a_device_may_have_one_direction(manner: str, roles: tuple[str, ...], words: str) -> None:
    one = tried(manner, "qatzip")

    assert (one.works, one.roles, one.words) == (True, roles, words)


@pytest.mark.parametrize("threshold", [1024, 128 << 10])
def test_a_device_is_given_as_much_as_its_library_gives_it(threshold: int) -> None:
    devices: dict[str, object] = {"qat": {"policy": "use", "parameters": {"threshold": threshold}}}

    (one,) = preflight(profile(devices), lambda _: {"qatzip": pretending("qatzip", "Choosy")})

    assert one.works, one.words


def test_what_a_device_does_wrong_it_has_done() -> None:
    one = tried("Corrupts")

    assert one.roles == ("sender", "receiver")
    assert one.words.endswith(", and page 2 of pc.ram differs")


def test_a_device_that_does_not_answer_is_one_that_does_not_work() -> None:
    one = tried("Hangs", request=1)

    assert (one.works, one.words) == (False, "peer qpl did not answer within 1 s")


def test_a_library_that_dies_is_one_that_does_not_work() -> None:
    one = tried("Dies")

    assert (one.works, one.words) == (False, "peer qpl was killed by signal 11 (Segmentation fault) before it answered")


@pytest.mark.parametrize("entry", [{"policy": "emulate"}, {"policy": "skip"}, {"policy": "use", "path": "software"}])
def test_a_device_that_the_profile_does_not_want_is_left_alone(entry: dict[str, object]) -> None:
    assert preflight(profile({"iaa": entry}), lambda _: {"qpl": pretending("qpl", "Dies")}) == ()


def test_without_a_library_there_is_nothing_to_try() -> None:
    assert preflight(profile({"iaa": {"policy": "require"}}), lambda _: {}) == ()


def test_every_library_is_tried_with_the_device_to_itself() -> None:
    kept: list[str] = []

    @contextmanager
    def alone(kinds: Collection[str]) -> Iterator[None]:
        kept.append(f"{' and '.join(kinds)} begin")
        yield
        kept.append("and end")

    libraries = {codec: pretending(codec, "Pretender") for codec in ("qpl", "qatzip")}
    both = preflight(profile({"others": {"policy": "use"}}), lambda _: libraries, alone)

    assert [(one.kind, one.works) for one in both] == [("qat", True), ("iaa", True)]
    assert kept == ["qat and iaa begin", "and end"]


def test_waiting_for_a_device_is_interrupted_at_once() -> None:
    def interrupted(kinds: Collection[str]) -> AbstractContextManager[object]:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return nullcontext()

    with pytest.raises(KeyboardInterrupt):
        preflight(profile({"iaa": {"policy": "use"}}), lambda _: {"qpl": pretending("qpl", "Pretender")}, interrupted)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Who was started in the background of a shell hears no Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_peer_that_hangs_is_interrupted_at_once() -> None:
    presses = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    presses.start()
    started = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        preflight(profile({"iaa": {"policy": "use"}}), lambda _: {"qpl": pretending("qpl", "Hangs")})

    assert 2 <= time.monotonic() - started < 10


@pytest.mark.parametrize(("node", "said"), [("0", "numa_id=0"), ("1", "numa_id=1")])
def test_a_device_is_tried_as_the_run_will_start_it(node: str, said: str, tmp_path: Path) -> None:
    device = Device("iaa", "iax1", "0000:6a:02.0", "spr", {"node": node}, (), ())
    seen = tmp_path / "seen"
    library = replace(QPL, loader=("sh", "-c", f'echo "$@" > {seen}; exit 2', "sh"))

    preflight(profile({"iaa": {"policy": "use"}}), lambda _: {"qpl": library}, found=[device])

    assert seen.read_text().split()[-3:] == ["qpl", said, "path=1"]


def test_a_device_has_no_software_to_go_to_while_it_is_tried(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    library = Library(
        "qatzip", Path("libqatzip.so.3"), "2.0.0", "host", ("sh", "-c", f'echo "$@" > {seen}', "sh"), (0, 0)
    )

    preflight(profile({"qat": {"policy": "use", "parameters": {"backup": 1}}}), lambda _: {"qatzip": library})

    assert "backup=0" in seen.read_text().split()


def test_a_device_is_tried_with_the_parameters_that_it_will_have() -> None:
    with pytest.raises(InputError) as caught:
        preflight(
            profile({"iaa": {"policy": "use", "parameters": {"depth": 1}}}),
            lambda _: {"qpl": pretending("qpl", "Pretender")},
        )

    assert str(caught.value).startswith(
        "profile: $.devices.iaa.parameters: codec qpl: parameter 'depth' is unknown; expected one of level, path"
    )
