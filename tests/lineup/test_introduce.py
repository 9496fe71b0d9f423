"""From a profile to a line-up: what no peer can be made of is refused with its place, every other is introduced."""

from __future__ import annotations

import sys
from typing import Any, Final

import pytest

from multifd.codec import factories
from multifd.errors import InputError, PeerError
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.probe import Probed
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.profile.model import Deadlines, PeerEntry, Profile

DEAD: Final = PeerEntry(name="dead", command=(sys.executable, "-c", "raise SystemExit(9)"))


def profile(*peers: dict[str, Any]) -> Profile:
    return Profile.model_validate({"description": "d", "peers": list(peers)})


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        (
            {"codec": "lz4"},
            f"codec: 'lz4' is unknown; expected one of {', '.join(factories())}",
        ),
        ({"codec": "zlib", "parameters": {"level": 10}}, "parameters: codec zlib: level is 10; expected 0 to 9"),
        (
            {"codec": "zlib", "parameters": {"depth": 1}},
            "parameters: codec zlib: parameter 'depth' is unknown; expected one of level, window",
        ),
        (
            {"codec": "none", "parameters": {"level": 1}},
            "parameters: codec none: parameter 'level' is unknown; expected one of none",
        ),
    ],
)
def test_a_codec_that_we_do_not_have_is_refused(peer: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        resolve("lab", profile({"codec": "zstd"}, peer), None)

    assert str(error.value) == f"profile lab: $.peers[1].{message}"


@pytest.mark.parametrize("program", ["/nowhere/peer", "no-such-peer", __file__, "/"])
def test_a_command_that_is_none_is_refused_with_its_place(program: str) -> None:
    external = {"name": "lab", "command": [program, "--fast"]}

    with pytest.raises(InputError) as error:
        resolve("lab", profile({"codec": "zstd"}, external), None)

    expected = "is not there or cannot be executed; expected a program in PATH, or the path of one"
    assert str(error.value) == f"profile lab: $.peers[1].command: {program!r} {expected}"


@pytest.mark.parametrize(
    ("key", "emulation", "message"),
    [
        ("kunpeng", {"device": 2}, "codec uadk-emulated: device is 2; expected 0 to 1"),
        ("kunpeng", {"engines": 1}, "codec uadk-emulated: parameter 'engines' is unknown; expected one of device"),
        ("others", {"device": 3}, "codec qat-emulated: device is 3; expected 0 to 2"),
    ],
)
def test_a_setting_that_a_device_does_not_have_is_refused(key: str, emulation: dict[str, int], message: str) -> None:
    devices = {key: {"policy": "emulate", "emulation": emulation}}
    lab = Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}], "devices": devices})

    with pytest.raises(InputError) as error:
        resolve("lab", lab, None, device_peers(lab, []))

    assert str(error.value) == f"profile lab: $.devices.{key}.emulation: {message}"


def variants(**codecs: list[dict[str, Any]]) -> Profile:
    devices = {"others": {"policy": "emulate"}}
    names = {name.replace("_", "-"): given for name, given in codecs.items()}
    return Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": devices, "variants": names}
    )


def test_a_variant_is_named_by_its_parameters() -> None:
    lab = variants(iaa_emulated=[{"parameters": {"huffman": 1, "queue": 128}, "roles": ["sender"]}])

    peers = resolve("lab", lab, None, device_peers(lab, [])).peers

    assert [peer.roles for peer in peers if peer.name == "iaa-emulated[huffman=1]"] == [("sender",)]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"buffer": 3}, "buffer is 3; expected one of 1, 2, 4, 8, 16, 32, 64, 128, 256, 512"),
        ({"threshold": 64}, "threshold is 64; expected 128 to 524288"),
    ],
)
def test_a_variant_that_the_codec_does_not_have_is_refused(parameters: dict[str, int], message: str) -> None:
    lab = variants(qat_emulated=[{"parameters": {"level": 9}}, {"parameters": parameters}])

    with pytest.raises(InputError) as error:
        resolve("lab", lab, None, device_peers(lab, []))

    assert str(error.value) == f"profile lab: $.variants.qat-emulated[1].parameters: codec qat-emulated: {message}"


def test_a_peer_appears_once() -> None:
    twice = profile({"codec": "zlib"}, {"codec": "zstd"}, {"codec": "zlib", "parameters": {"level": 1}})

    with pytest.raises(InputError) as error:
        resolve("lab", twice, None)

    assert str(error.value) == "profile lab: peers zlib appear more than once; give them different names"


def test_a_codec_of_ours_is_introduced_as_it_declares_itself() -> None:
    (peer,) = resolve("lab", profile({"codec": "zlib", "parameters": {"level": 6}, "roles": ["sender"]}), None).peers

    assert (peer.name, peer.codec, peer.external, peer.roles) == ("zlib[level=6]", "zlib", False, ("sender",))
    assert (peer.provenance, peer.device) == ("software", None)


def test_a_peer_that_is_probed_runs_as_a_process_of_its_own() -> None:
    seen: list[tuple[str, str | None]] = []

    def probe(process: PeerProcess, introduced: contract.Introduction, deadline: float) -> Probed:
        seen.append((process.name, introduced.codec))
        return Probed("too slow", {})

    (peer,) = resolve("lab", profile({"codec": "zlib"}), probe).peers

    assert seen == [("zlib", "zlib")]
    assert (peer.probe, peer.probe_kind) == ("too slow", None)


@pytest.mark.parametrize(("role", "used"), [("sender", (True, False)), ("receiver", (False, True))])
def test_a_peer_is_probed_in_the_roles_that_it_has(role: str, used: tuple[bool, bool]) -> None:
    seen: list[tuple[bool, bool]] = []

    def probe(process: PeerProcess, introduced: contract.Introduction, deadline: float) -> Probed:
        seen.append((introduced.encoder is not None, introduced.decoder is not None))
        return Probed(None, {})

    resolve("lab", profile({"codec": "zlib", "roles": [role]}), probe)

    assert seen == [used]


def test_a_probe_that_finds_the_contract_broken_says_how() -> None:
    def probe(process: PeerProcess, introduced: contract.Introduction, deadline: float) -> Probed:
        raise PeerError("corrupt", "a page differs")

    (peer,) = resolve("lab", profile({"codec": "zlib"}), probe).peers

    assert (peer.probe, peer.probe_kind) == ("a page differs", "corrupt")


def test_a_peer_that_does_not_start_is_in_the_line_up_with_what_went_wrong() -> None:
    lab = Profile(description="d", peers=(DEAD,), deadlines=Deadlines(hello=5))

    (peer,) = resolve("lab", lab, None).peers

    assert (peer.name, peer.external, peer.codec, peer.version) == ("dead", True, None, "unknown")
    assert peer.probe_kind == "crash"


def test_a_device_that_the_profile_skips_is_introduced_and_skipped() -> None:
    lab = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"iaa": {"policy": "skip"}}}
    )

    _, iaa = resolve("lab", lab, None, device_peers(lab, ())).peers

    assert (iaa.name, iaa.device, iaa.provenance) == ("iaa-emulated", "IAA", "emulated")
    assert iaa.skip is not None and iaa.skip.startswith("the profile skips IAA; remedy: ")


@pytest.mark.parametrize(("policy", "required"), [("require", ("qat",)), ("use", ())])
def test_what_the_profile_requires_must_be_proven(policy: str, required: tuple[str, ...]) -> None:
    lab = Profile.model_validate(
        {"description": "d", "peers": [{"codec": "zlib"}], "devices": {"qat": {"policy": policy}}}
    )

    assert resolve("lab", lab, None).required == required
