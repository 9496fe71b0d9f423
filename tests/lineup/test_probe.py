"""The probe: what is able passes it; a peer that lies is found out by it (tests/liars has those)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUpPeer
from multifd.lineup.probe import Probed, Prober
from multifd.oracle.ability import inabilities
from multifd.peer import contract
from multifd.peer.client import PeerProcess
from multifd.profile.model import PeerEntry, Profile
from multifd.result.record import Role

CODECS = ["none", "zlib", "libdeflate", "zstd", "iaa-emulated", "uadk-emulated"]


def probed(entry: PeerEntry) -> LineUpPeer:
    """The only peer of a profile, held to its word."""
    with Prober() as prober:
        (peer,) = resolve("lab", lab(entry), prober.probe).peers
    return peer


def lab(entry: PeerEntry) -> Profile:
    return Profile(description="d", peers=(entry,))


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_of_ours_keeps_its_word(codec: str) -> None:
    peer = probed(PeerEntry(codec=codec))

    assert (peer.probe, peer.probe_kind) == (None, None)


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_of_ours_refuses_all_that_it_says_it_cannot_do(codec: str) -> None:
    peer = probed(PeerEntry(codec=codec))

    unable = [
        (role, name)
        for name in FRAMINGS
        for role in inabilities(peer.encoder, peer.decoder, framing(name), 4096)
    ]  # fmt: skip
    assert sorted(unable) == sorted((role, name) for role, names in peer.refused.items() for name in names)
    assert unable


def test_a_smaller_window_on_either_side_is_probed_within_it() -> None:
    assert probed(PeerEntry(codec="zlib", parameters={"window": 9})).probe is None


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_the_probe_does_not_depend_on_the_roles_of_a_profile(role: Role) -> None:
    peer = probed(PeerEntry(codec="zlib", roles=(role,)))

    assert (peer.probe, peer.roles) == (None, (role,))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"checks_trailer": False},
            "as receiver it declares checks_trailer False; observed: a wrong checksum, container zlib: not done"
            " (zlib: Error -3 while decompressing data: incorrect data check)",
        ),
        ({"window": 12}, "as receiver it declares window 12; observed: a distance of 4097 bytes: done"),
    ],
)
def test_a_declaration_that_is_not_so_fails_the_probe(change: dict[str, Any], problem: str) -> None:
    def probe(process: PeerProcess, known: contract.Introduction, deadline: float) -> Probed:
        assert known.decoder is not None
        return prober.probe(process, known.model_copy(update={"decoder": replace(known.decoder, **change)}), deadline)

    with Prober() as prober:
        (peer,) = resolve("lab", lab(PeerEntry(codec="zlib")), probe).peers

    assert peer.probe is not None
    assert problem in peer.probe


@pytest.mark.parametrize("parameters", [{"busy": 3, "queue": 1}, {"fault": 3}])
def test_what_fails_now_and_then_is_tried_again(parameters: dict[str, int]) -> None:
    assert probed(PeerEntry(codec="iaa-emulated", parameters=parameters)).probe is None


def test_a_peer_that_does_not_answer_trials_is_not_asked() -> None:
    def probe(process: PeerProcess, known: contract.Introduction, deadline: float) -> Probed:
        assert known.decoder is not None
        wrong = {"decoder": replace(known.decoder, checks_trailer=False), "tries": False}
        return prober.probe(process, known.model_copy(update=wrong), deadline)

    with Prober() as prober:
        (peer,) = resolve("lab", lab(PeerEntry(codec="zlib")), probe).peers

    assert peer.probe is None


@pytest.mark.parametrize(
    ("codec", "came"),
    [
        ("zlib", None),
        ("libdeflate", "packet 1 of 9 ends the stream"),
        ("qat-emulated", "packet 1 of 9 ends the stream"),
    ],
)
def test_what_comes_of_a_stream_that_cannot_be_written_is_told(codec: str, came: str | None) -> None:
    assert probed(PeerEntry(codec=codec)).streamless == came
