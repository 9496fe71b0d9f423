"""What was to run on a device and how it introduced itself: where the two differ, somebody hears of it in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from multifd.device.found import Device
from multifd.errors import EnvironmentBroke
from multifd.lineup.device_peer import DevicePeer
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.lineup.reconcile import reconciled
from multifd.profile.model import Profile
from tests.lineup.pretender import REFUSES, WORDS, pretending

IAX = Device("iaa", "iax1", "0000:6a:02.0", "spr", {}, (), ())


def meant(manner: str, **changes: object) -> DevicePeer:
    """A peer that is to run on hardware, and does as the pretender of that manner."""
    one = DevicePeer(
        "qpl", {"path": 1}, "hardware", pretending("qpl", manner), (IAX,), place="$.devices.iaa.parameters"
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def introduced(policy: str, *peers: DevicePeer) -> LineUp:
    profile = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "none"}], "devices": {"iaa": {"policy": policy}}}
    )
    return reconciled(resolve("lab", profile, None, peers), peers)


def test_what_runs_as_it_was_to_run_is_not_worth_a_word() -> None:
    line_up = introduced("require", meant("Pretender"))

    assert (line_up.remarks, line_up.devices) == ((), (IAX,))


def test_devices_are_told_once() -> None:
    line_up = introduced("use", meant("Pretender"), meant("Pretender", named={"jobs": 4}, parameters={"jobs": 4}))

    assert line_up.devices == (IAX,)


def test_what_was_known_before_is_told() -> None:
    assert introduced("use", meant("Pretender", remark="it is slow")).remarks == ("it is slow",)


def test_a_required_peer_that_fell_back_ends_the_run_before_it_begins() -> None:
    with pytest.raises(EnvironmentBroke) as caught:
        introduced("require", meant("Pretender"), meant("FallenBack", named={"jobs": 4}, parameters={"jobs": 4}))

    assert str(caught.value).splitlines() == [
        "the profile requires what this run does not have:",
        "  qpl[jobs=4] was to run as hardware, and runs as vendor-software",
    ]


def test_a_required_peer_that_does_not_start_ends_the_run_before_it_begins() -> None:
    with pytest.raises(EnvironmentBroke) as caught:
        introduced("require", meant(REFUSES))

    assert str(caught.value).endswith(
        f"qpl does not start: peer qpl exited with status 2 before it answered; its log ends: multifd peer: {WORDS}"
    )


@pytest.mark.parametrize(
    ("changes", "manner", "words"),
    [
        ({}, "FallenBack", "qpl was to run as hardware, and runs as vendor-software"),
        (
            {"provenance": "vendor-software", "parameters": {}, "devices": ()},
            "Pretender",
            "qpl was to run as vendor-software, and runs as hardware",
        ),
    ],
)
def test_a_peer_that_runs_otherwise_is_told_of_and_runs_as_it_does(
    changes: dict[str, object], manner: str, words: str
) -> None:
    line_up = introduced("use", meant(manner, **changes))

    assert line_up.remarks == (words,)
    assert line_up.provenance("qpl") == words.rpartition(" ")[2]
