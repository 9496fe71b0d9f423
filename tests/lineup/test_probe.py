"""The probe: what is able passes it; a peer that lies is found out by it (tests/liars has those)."""

from __future__ import annotations

import pytest

from multifd.lineup.introduce import resolve
from multifd.lineup.probe import probe
from multifd.profile.model import PeerEntry, Profile
from multifd.result.record import Role


@pytest.mark.parametrize("codec", ["none", "zlib", "libdeflate", "zstd", "iaa-emulated", "uadk-emulated"])
def test_a_codec_of_ours_keeps_its_word(codec: str) -> None:
    (peer,) = resolve("lab", Profile(description="d", peers=(PeerEntry(codec=codec),)), probe).peers

    assert (peer.probe, peer.probe_kind) == (None, None)


def test_a_smaller_window_on_either_side_is_probed_within_it() -> None:
    entry = PeerEntry(codec="zlib", parameters={"window": 9})

    (peer,) = resolve("lab", Profile(description="d", peers=(entry,)), probe).peers

    assert peer.probe is None


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_the_probe_does_not_depend_on_the_roles_of_a_profile(role: Role) -> None:
    entry = PeerEntry(codec="zlib", roles=(role,))

    (peer,) = resolve("lab", Profile(description="d", peers=(entry,)), probe).peers

    assert (peer.probe, peer.roles) == (None, (role,))
