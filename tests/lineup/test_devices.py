"""Which peers stand for an accelerator: the table of policy and host, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from multifd.accelerator import ACCELERATORS
from multifd.codec import factories
from multifd.device.found import Device, Problem
from multifd.errors import EnvironmentBroke
from multifd.libraries.find import Library
from multifd.lineup.devices import DevicePeer, device_peers
from multifd.profile.load import load
from multifd.profile.model import Profile

QPL = Library("qpl", Path("libqpl.so.1"), "1.9.0", "fetched", (), (2, 41))
USABLE = Device("iaa", "iax1", "0000:6a:02.0", "IAA 1.0", {}, (), ())
BROKEN = Device("iaa", "iax3", "0000:e7:02.0", "IAA 1.0", {}, (), (Problem("no queue is enabled", "accel-config x"),))


def peers(
    policy: Mapping[str, object], devices: Sequence[Device] = (), library: Library | None = QPL
) -> list[DevicePeer]:
    profile = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"iaa": dict(policy)}}
    )
    return device_peers(profile, devices, lambda _: {"qpl": library} if library is not None else {})


def names(found: Sequence[DevicePeer]) -> list[tuple[str, str]]:
    return [(peer.codec, peer.provenance) for peer in found]


def test_a_device_that_the_profile_does_not_name_takes_no_part() -> None:
    profile = Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}]})

    assert device_peers(profile, [USABLE], lambda _: {"qpl": QPL}) == []


@pytest.mark.parametrize(
    ("policy", "devices", "library", "expected"),
    [
        ("use", [USABLE], QPL, [("qpl", "hardware")]),
        ("use", [BROKEN], QPL, [("qpl", "vendor-software"), ("iaa-emulated", "emulated")]),
        ("use", [], QPL, [("qpl", "vendor-software"), ("iaa-emulated", "emulated")]),
        ("use", [USABLE], None, [("iaa-emulated", "emulated")]),
        ("emulate", [USABLE], QPL, [("iaa-emulated", "emulated")]),
        ("require", [USABLE, BROKEN], QPL, [("qpl", "hardware")]),
    ],
)
def test_policy_and_host_decide_who_stands_for_a_device(
    policy: str, devices: list[Device], library: Library | None, expected: list[tuple[str, str]]
) -> None:
    assert names(peers({"policy": policy}, devices, library)) == expected


def test_hardware_is_claimed_for_the_usable_devices_only() -> None:
    (peer,) = peers({"policy": "use"}, [USABLE, BROKEN])

    assert (peer.devices, peer.parameters["path"]) == ((USABLE,), 1)


def test_path_software_keeps_from_the_silicon() -> None:
    found = peers({"policy": "use", "path": "software"}, [USABLE])

    assert names(found) == [("qpl", "vendor-software"), ("iaa-emulated", "emulated")]
    assert found[0].parameters["path"] == 2


def test_a_skip_names_the_reason_and_the_remedy() -> None:
    (peer,) = peers({"policy": "skip"}, [USABLE])

    assert peer.skip == "the profile skips IAA; remedy: a profile with devices.iaa.policy use or emulate"


def test_what_is_required_and_not_there_is_diagnosed_in_full() -> None:
    with pytest.raises(EnvironmentBroke) as caught:
        peers({"policy": "require", "count": 2}, [BROKEN], None)

    assert str(caught.value).splitlines() == [
        "the profile requires what this host lacks:",
        "  IAA: its library is not found; run: multifd vendor fetch",
        "  IAA: 0 usable devices, 2 required (devices.iaa.count); multifd doctor says more",
        "  IAA iax3 0000:e7:02.0: no queue is enabled; run: accel-config x",
    ]


def test_a_device_without_a_binding_cannot_be_required() -> None:
    profile = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"kunpeng": {"policy": "require"}}}
    )

    with pytest.raises(EnvironmentBroke, match="Kunpeng: this project has no binding for its library"):
        device_peers(profile, [], lambda _: {})


VARIED = {
    "qpl": [{"parameters": {"stream": 1}, "roles": ["receiver"]}],
    "iaa-emulated": [{"parameters": {"busy": 2}}],
    "qatzip": [{"parameters": {"level": 9}}],
}


def varied(policy: Mapping[str, object], devices: Sequence[Device] = ()) -> list[DevicePeer]:
    profile = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"iaa": dict(policy)}, "variants": VARIED}
    )
    return device_peers(profile, devices, lambda _: {"qpl": QPL})


def test_every_codec_that_takes_part_has_its_variants_beside_it() -> None:
    assert [(peer.codec, peer.named, peer.roles) for peer in varied({"policy": "use"})] == [
        ("qpl", {}, ("sender", "receiver")),
        ("qpl", {"stream": 1}, ("receiver",)),
        ("iaa-emulated", {}, ("sender", "receiver")),
        ("iaa-emulated", {"busy": 2}, ("sender", "receiver")),
    ]


def test_a_variant_runs_where_the_peer_runs_of_which_it_is_one() -> None:
    base, variant = varied({"policy": "use", "parameters": {"level": 3}}, [USABLE])

    assert (variant.provenance, variant.devices) == (base.provenance, base.devices) == ("hardware", (USABLE,))
    assert variant.parameters == {"level": 3, "path": 1, "stream": 1}


def test_what_is_skipped_has_no_variants() -> None:
    assert [peer.named for peer in varied({"policy": "skip"})] == [{}]


ELSEWHERE = {
    ("qpl", "path"),
    ("qpl", "numa_id"),
    ("qatzip", "path"),
    ("qatzip", "backup"),
    *(("qatzip", knob) for knob in ("polling", "requests", "forks", "wait")),
    ("qat-emulated", "device"),
    ("uadk-emulated", "device"),
}
"""What says who is there, that nothing may be done in software where nobody is, and how a device is waited for."""


def test_the_default_profile_uses_every_other_knob_of_the_accelerators() -> None:
    default = load("auto")
    codecs = [name for each in ACCELERATORS.values() for name in (each.real and each.real.name, each.emulated) if name]

    knobs = {(name, knob) for name in codecs for knob in factories()[name].parameters} - ELSEWHERE

    turned = {(name, knob) for name, given in default.variants.items() for one in given for knob in one.parameters}
    assert turned == knobs
