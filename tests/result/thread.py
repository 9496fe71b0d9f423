"""Cells that claims are held against."""

from __future__ import annotations

from typing import Any, Final

from multifd.result.claims import Seen
from multifd.result.questions import Claim
from multifd.result.record import Cell, Peer, Provenance, Sides, Unable, Verdict
from tests.reports.builder import cell, peer

PEERS: Final[dict[str, Provenance]] = {
    "zlib": "software",
    "qatzip": "vendor-software",
    "qpl": "vendor-software",
    "qat-emulated": "emulated",
    "iaa-emulated": "emulated",
}
LINE_UP: Final[tuple[Peer, ...]] = tuple(peer(name, provenance) for name, provenance in PEERS.items())


def ran(sender: str, receiver: str, framing: str, verdict: Verdict = "pass", **changes: Any) -> Cell:
    """A captured cell between two peers."""
    predicted = {"refused": "rejected", "hazard": "hazard"}.get(verdict, "identical")
    fields = {
        "sender": sender,
        "receiver": receiver,
        "framing": framing,
        "scenario": "capture",
        "verdict": verdict,
        "predicted": predicted,
        "provenance": Sides(sender=PEERS.get(sender), receiver=PEERS.get(receiver)),
        **changes,
    }
    return cell(**fields)


def seen(*cells: Cell, unable: tuple[Unable, ...] = ()) -> Seen:
    """A run of these cells with the whole line-up."""
    return Seen(cells, LINE_UP, unable)


def claim(**changes: Any) -> Claim:
    """That zlib reads the zlib-packet of libqatzip, with ``changes``."""
    fields: dict[str, Any] = {
        "shows": "zlib reads libqatzip",
        "cells": {"framing": "zlib-packet", "sender": "qatzip", "receiver": "zlib"},
        "verdict": "pass",
        **changes,
    }
    return Claim.model_validate(fields)
