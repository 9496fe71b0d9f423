"""The probe: what is able passes it; a peer that lies is found out by it (tests/liars has those)."""

from __future__ import annotations

import pytest

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUpPeer
from multifd.lineup.probe import Prober
from multifd.oracle.ability import inabilities
from multifd.profile.model import PeerEntry, Profile
from multifd.result.record import Role

CODECS = ["none", "zlib", "libdeflate", "zstd", "iaa-emulated", "uadk-emulated"]


def probed(entry: PeerEntry) -> LineUpPeer:
    """The only peer of a profile, held to its word."""
    with Prober() as prober:
        (peer,) = resolve("lab", Profile(description="d", peers=(entry,)), prober.probe).peers
    return peer


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
