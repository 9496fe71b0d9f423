"""Which peers stand for an accelerator: the table of policy and host, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from multifd.accelerator import ACCELERATORS
from multifd.codec import factories
from multifd.device.found import Device, Problem
from multifd.errors import EnvironmentBroke
from multifd.libraries.find import Library
from multifd.lineup.device_peer import DevicePeer
from multifd.lineup.devices import device_peers
from multifd.lineup.preflight import Tried
from multifd.profile.load import load
from multifd.profile.model import Profile
from multifd.result.record import Role

QPL = Library("qpl", Path("libqpl.so.1"), "1.9.0", "fetched", (), (2, 41))
USABLE = Device("iaa", "iax1", "0000:6a:02.0", "IAA 1.0", {}, (), ())
BROKEN = Device("iaa", "iax3", "0000:e7:02.0", "IAA 1.0", {}, (), (Problem("no queue is enabled", "accel-config x"),))
WORKS = Tried("iaa", "qpl", ("sender", "receiver"), "one round trip worked in 12 ms", 0.3)
FAILS = Tried("iaa", "qpl", (), "qpl_init_job: status 503", 0.3)


def peers(
    policy: Mapping[str, object],
    devices: Sequence[Device] = (),
    library: Library | None = QPL,
    tried: Tried | None = WORKS,
) -> list[DevicePeer]:
    profile = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"iaa": dict(policy)}}
    )
    tries = [tried] if tried is not None and library is not None else []
    return device_peers(profile, devices, lambda _: {"qpl": library} if library is not None else {}, tries)


def names(found: Sequence[DevicePeer]) -> list[tuple[str, str]]:
    return [(peer.codec, peer.provenance) for peer in found]


def test_a_device_that_the_profile_does_not_name_takes_no_part() -> None:
    profile = Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}]})

    assert device_peers(profile, [USABLE], lambda _: {"qpl": QPL}) == []


@pytest.mark.parametrize(
    ("policy", "tried", "library", "expected"),
    [
        ("use", WORKS, QPL, [("qpl", "hardware")]),
        ("use", FAILS, QPL, [("qpl", "vendor-software"), ("iaa-emulated", "emulated")]),
        ("use", None, QPL, [("qpl", "vendor-software"), ("iaa-emulated", "emulated")]),
        ("use", WORKS, None, [("iaa-emulated", "emulated")]),
        ("emulate", WORKS, QPL, [("iaa-emulated", "emulated")]),
        ("require", WORKS, QPL, [("qpl", "hardware")]),
    ],
)
@pytest.mark.parametrize("devices", [[USABLE], [BROKEN], [USABLE, BROKEN]])
def test_policy_and_what_works_decide_who_stands_for_a_device(
    policy: str, tried: Tried | None, library: Library | None, expected: list[tuple[str, str]], devices: list[Device]
) -> None:
    assert names(peers({"policy": policy}, devices, library, tried)) == expected


def test_hardware_is_claimed_for_the_usable_devices_only() -> None:
    (peer,) = peers({"policy": "use"}, [USABLE, BROKEN])

    assert (peer.devices, peer.parameters["path"], peer.remark) == ((USABLE,), 1, "")


def near(*nodes: str, **policy: object) -> int | None:
    """The NUMA node on which the peer looks for devices that are there."""
    devices = [replace(USABLE, name=f"iax{node}", facts={"node": node} if node else {}) for node in nodes]
    return peers({"policy": "use", **policy}, devices)[0].parameters.get("numa_id")


def test_devices_of_one_node_are_looked_for_there_and_not_near_the_process() -> None:
    assert near("1") == 1
    assert near("1", "1") == 1


def test_devices_of_several_nodes_or_of_none_that_is_known_are_looked_for_as_the_library_does() -> None:
    assert [near("0", "1"), near(""), near("1", "")] == [None] * 3


def test_a_profile_that_names_a_node_has_that_one() -> None:
    assert near("1", parameters={"numa_id": -3}) == -3


def test_any_device_may_have_done_what_none_looks_able_to() -> None:
    (peer,) = peers({"policy": "use"}, [BROKEN])

    assert peer.devices == (BROKEN,)
    assert peer.remark == (
        "IAA: one round trip worked in 12 ms, so it is used, whatever else is known of it"
        " (iax3 0000:e7:02.0: no queue is enabled)"
    )


def test_silicon_that_nobody_has_found_is_silicon_all_the_same() -> None:
    (peer,) = peers({"policy": "use"}, [])

    assert (peer.provenance, peer.devices) == ("hardware", ())
    assert peer.remark == (
        "IAA: one round trip worked in 12 ms, though no such device is found; no counter of it can be read"
    )


@pytest.mark.parametrize("device", [USABLE, BROKEN])
def test_a_device_that_is_there_and_not_used_is_told_of(device: Device) -> None:
    real, emulated = peers({"policy": "use"}, [device], tried=FAILS)

    assert real.remark == (
        "IAA is not used: its library does not work on it: qpl_init_job: status 503;"
        " qpl runs in software instead, with the emulation beside it. multifd doctor says more"
    )
    assert emulated.remark == ""


def test_a_device_that_is_not_there_is_not_worth_a_word() -> None:
    real, _ = peers({"policy": "use"}, [], tried=FAILS)

    assert real.remark == ""


@pytest.mark.parametrize(("role", "not_done"), [("sender", "receive"), ("receiver", "send")])
def test_what_works_in_one_direction_has_that_role_and_the_emulation_beside_it(role: Role, not_done: str) -> None:
    half = replace(WORKS, roles=(role,), words="the other way it did nothing")

    real, emulated = peers({"policy": "use"}, [USABLE], tried=half)

    assert (real.provenance, real.roles, emulated.provenance) == ("hardware", (role,), "emulated")
    assert real.remark == (f"IAA does not {not_done}, the emulation stands beside it: the other way it did nothing")


def test_path_software_keeps_from_the_silicon() -> None:
    found = peers({"policy": "use", "path": "software"}, [USABLE])

    assert names(found) == [("qpl", "vendor-software"), ("iaa-emulated", "emulated")]
    assert found[0].parameters["path"] == 2


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("iaa", {"numa_id": 1, "jobs": 8}),
        ("qat", {"polling": 1, "requests": 8, "forks": 0, "wait": 4}),
    ],
)
def test_how_a_device_is_waited_for_is_the_profiles(kind: str, parameters: dict[str, int]) -> None:
    real = ACCELERATORS[kind].real
    assert real is not None
    entry = {"policy": "use", "parameters": parameters}
    profile = Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}], "devices": {kind: entry}})

    real_peer, _ = device_peers(profile, [], lambda _: {real.name: replace(QPL, name=real.name)})

    assert real_peer.parameters == {**parameters, "path": 2}
    assert factories()[real.name].values(real_peer.parameters).items() >= parameters.items()


def test_a_skip_names_the_reason_and_the_remedy() -> None:
    (peer,) = peers({"policy": "skip"}, [USABLE])

    assert peer.skip == "the profile skips IAA; remedy: a profile with devices.iaa.policy use or emulate"


def lines(
    policy: Mapping[str, object], devices: Sequence[Device], library: Library | None, tried: Tried | None
) -> list[str]:
    with pytest.raises(EnvironmentBroke) as caught:
        peers({"policy": "require", **policy}, devices, library, tried)
    first, *others = str(caught.value).splitlines()
    assert first == "the profile requires what this host lacks:"
    return others


def test_what_is_required_and_not_there_is_diagnosed_in_full() -> None:
    assert lines({"count": 2}, [BROKEN], None, None) == [
        "  IAA: its library is not found; remedy: multifd vendor fetch",
        "  IAA: 0 usable devices, 2 required (devices.iaa.count); multifd doctor says more",
        "  IAA iax3 0000:e7:02.0: no queue is enabled; run: accel-config x",
    ]


def test_what_was_known_of_a_library_beforehand_stands_beside_its_words() -> None:
    known = replace(QPL, warning="opens libaccel-config.so.1, which is not there")

    assert lines({}, [USABLE], known, FAILS) == [
        "  IAA: its library does not work on it: qpl_init_job: status 503"
        " (it opens libaccel-config.so.1, which is not there)"
    ]


def test_what_is_required_and_does_not_work_is_told_in_the_librarys_words() -> None:
    assert lines({}, [USABLE], QPL, FAILS) == ["  IAA: its library does not work on it: qpl_init_job: status 503"]


def test_every_command_of_a_fix_is_told() -> None:
    device = replace(BROKEN, problems=(Problem("it is down", "echo down\necho up"),))

    assert lines({}, [device], QPL, FAILS)[-1:] == ["    echo up"]


def test_half_a_device_is_not_what_was_required() -> None:
    half = replace(WORKS, roles=("receiver",), words="as sender: nothing was done")

    assert lines({}, [USABLE], QPL, half) == ["  IAA: it works in one direction only: as sender: nothing was done"]


def test_a_device_that_works_whatever_is_known_of_it_is_one() -> None:
    assert names(peers({"policy": "require"}, [BROKEN])) == [("qpl", "hardware")]
    assert lines({"count": 2}, [BROKEN], QPL, WORKS) == [
        "  IAA: 1 usable devices, 2 required (devices.iaa.count); multifd doctor says more",
        "  IAA iax3 0000:e7:02.0: no queue is enabled; run: accel-config x",
    ]


TIGHT = replace(USABLE, processes=1, facts={"stack": "adf"})


def test_a_device_without_room_for_both_ends_of_a_cell_is_not_used() -> None:
    real, emulated = peers({"policy": "use"}, [TIGHT])

    assert (real.provenance, emulated.provenance) == ("vendor-software", "emulated")
    assert real.remark.startswith(
        "IAA is not used: 1 process at a time can hold iax1 0000:6a:02.0, a cell has 2, a sender and a receiver; raise"
        " NumProcesses in the section of its configuration (/etc/*_dev*.conf), then: adf_ctl restart; qpl runs in"
    )


def test_a_device_without_room_for_both_ends_of_a_cell_cannot_be_required() -> None:
    (line, *_) = lines({}, [TIGHT], QPL, WORKS)

    assert line.startswith("  IAA: 1 process at a time can hold iax1 0000:6a:02.0, a cell has 2")


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
    return device_peers(profile, devices, lambda _: {"qpl": QPL}, [WORKS] if devices else [])


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


def of_iaa(policy: str, variant: Mapping[str, object], tried: Tried) -> list[DevicePeer]:
    profile = Profile.model_validate(
        {
            "description": "d",
            "peers": [{"codec": "zlib"}],
            "devices": {"iaa": {"policy": policy}},
            "variants": {"qpl": [variant]},
        }
    )
    return device_peers(profile, [USABLE], lambda _: {"qpl": QPL}, [tried])


def test_what_silicon_does_not_have_its_library_does_in_software() -> None:
    _, variant = of_iaa("require", {"parameters": {"level": 3}}, WORKS)

    assert (variant.provenance, variant.devices, variant.parameters["path"]) == ("vendor-software", (), 2)


def test_a_variant_has_no_role_that_the_device_does_not_have() -> None:
    half = replace(WORKS, roles=("receiver",))

    assert [peer.named for peer in of_iaa("use", {"parameters": {"jobs": 4}, "roles": ["sender"]}, half)] == [{}, {}]


def test_what_is_skipped_has_no_variants() -> None:
    assert [peer.named for peer in varied({"policy": "skip"})] == [{}]


QATZIP = Library("qatzip", Path("libqatzip.so.3"), "2.0.0", "fetched", (), (2, 38))
QAT = Device("qat", "4xxx", "0000:6b:00.0", "4xxx", {}, (), ())


def required(
    parameters: Mapping[str, int] | None = None, variants: Mapping[str, object] | None = None
) -> list[tuple[Mapping[str, int], tuple[Role, ...]]]:
    """Of the peers of libqatzip: parameters that their names show, and roles."""
    entry = {"policy": "require", "parameters": parameters or {}}
    read = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"qat": entry}, "variants": variants or {}}
    )
    works = replace(WORKS, kind="qat", library="qatzip")
    return [(peer.named, peer.roles) for peer in device_peers(read, [QAT], lambda _: {"qatzip": QATZIP}, [works])]


def test_where_silicon_is_required_a_sender_has_no_software_to_go_to() -> None:
    assert required() == [({}, ("sender", "receiver")), ({"backup": 0}, ("sender",))]


def test_unless_the_profile_says_who_has_some() -> None:
    strict = {"qatzip": [{"parameters": {"backup": 0, "level": 9}, "roles": ["sender"]}]}

    assert [named for named, _ in required(parameters={"backup": 1})] == [{}]
    assert [named for named, _ in required(variants=strict)] == [{}, {"backup": 0, "level": 9}]


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
