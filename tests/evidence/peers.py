"""Peers of a line-up that are asked for nothing but what they say of themselves."""

from __future__ import annotations

from typing import Final

from multifd.framing.coder import Routing
from multifd.lineup.peers import LineUpPeer

KIB: Final = 1 << 10
LIBQATZIP: Final = Routing(piece=64 * KIB, threshold=KIB)
"""libqatzip's defaults."""


def peer(device: str | None, routing: Routing | None = None) -> LineUpPeer:
    """One that claims that hardware."""
    return LineUpPeer(
        name="p", command=("p",), environment={}, external=routing is None, roles=("sender", "receiver"), codec="p",
        device=device, provenance="hardware", version="1", encoder=None, decoder=None, probe=None, routing=routing,
    )  # fmt: skip


QAT: Final = peer("QAT", LIBQATZIP)
IAA: Final = peer("IAA", Routing())
KUNPENG: Final = peer("Kunpeng", Routing())
SILENT: Final = {device: peer(device) for device in ("QAT", "IAA", "Kunpeng", None, "unheard of")}
"""Peers that do not say by what their library goes."""
