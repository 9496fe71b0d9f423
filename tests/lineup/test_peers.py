"""The line-up as it is asked, and as its peers stand in the results."""

from __future__ import annotations

import pytest

from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.profile.model import PeerEntry, Profile


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    peers = (
        PeerEntry(codec="zlib", parameters={"level": 6}, roles=("sender",)),
        PeerEntry(codec="zstd", roles=("receiver",)),
        PeerEntry(codec="none"),
    )
    return resolve("lab", Profile(description="d", peers=peers), None)


def test_peers_are_asked_for_by_role(line_up: LineUp) -> None:
    assert [peer.name for peer in line_up.senders()] == ["zlib[level=6]", "none"]
    assert [peer.name for peer in line_up.receivers()] == ["zstd", "none"]


def test_a_peer_is_found_by_its_name_and_is_no_qemu(line_up: LineUp) -> None:
    assert line_up.peer("zstd").codec == "zstd"
    assert (line_up.qemu("zstd"), line_up.provenance("zstd")) == (None, "software")


def test_a_record_has_what_the_peer_declares_with_sets_in_order(line_up: LineUp) -> None:
    record = line_up.peer("zlib[level=6]").record()

    assert (record.name, record.kind, record.codec, record.roles) == ("zlib[level=6]", "codec", "zlib", ("sender",))
    assert record.capabilities["sender"]["windows"] == [9, 10, 11, 12, 13, 14, 15]
    assert record.capabilities["sender"]["containers"] == sorted(record.capabilities["sender"]["containers"])


def test_it_survives_the_way_to_a_worker(line_up: LineUp) -> None:
    assert LineUp.model_validate_json(line_up.model_dump_json()) == line_up
