"""Why no packet of a cell that went wrong is shown, and what to run to learn more.

Packets are shown where what was sent is kept and somebody says where it went wrong: a receiver of ours names the place,
a wrong page the packet that carried it last. A real QEMU names none, and what goes over sockets is kept only if a run
is told to.
"""

from __future__ import annotations

import shlex
from typing import Final

from multifd.result.record import Cell, Verdict

Unnamed = tuple[str, tuple[str, ...]]
"""Why, and commands that say more."""

_BAD: Final[frozenset[Verdict]] = frozenset({"fail", "known", "hazard"})
_WITH_A_WIRE: Final = frozenset({"wire", "negotiation", "integrity", "qemu"})
_EXHIBITS: Final = "exhibits/"
"""Where artifacts are that are no capture."""
_PLAYED: Final = "recorded-"
"""How scenarios begin whose receiver is played a recording."""
_FILE: Final = "cell.tar.gz"
_OURS: Final = (
    "No packet can be named: nothing was kept of what was sent, or no receiver says where it went wrong and no page is"
    " known to be wrong."
)
_KEPT: Final = (
    "What was sent is recorded. Which packet it was nobody says: a real QEMU names none, and no page that is known to"
    " be wrong leads to one."
)
_NOT_KEPT: Final = (
    "Which packet it was this run cannot say: a real QEMU names none, and the tap between the two ends keeps nothing of"
    " what it sees unless it is told to."
)
_FAULT: Final = (
    "What the receiver was played is a recording with one fault, which the scenario names: with its place in brackets,"
    " where it has one (round, where in it, channel). Which packet the receiver was at it does not say."
)
_NO_TAP: Final = (
    "Which packet it was cannot be known: a real QEMU names none, and no tap saw a stream here; in a lifetime, an"
    " interrupted handshake, or where nothing was sent, none does. What both ends said is all there is."
)
_SOUND: Final = (
    "Headers, channels and sizes, as far as the tap looked at them, are what the sender was told to send: nothing there"
    " leads to a packet."
)
_UNLOOKED: Final = "Nothing that the tap looked at leads to a packet; what it did not look at stands above."
_VEILED: Final = (
    "Which packet it was cannot be known: a real QEMU names none, and the tap could not look into TLS. What both ends"
    " said is all there is."
)
_TLS: Final = ": TLS"
"""How what the tap has not looked at ends, where that is why."""
_ARRIVED: Final = "Memory arrived identical: no packet is at fault."
_BROKEN: Final = "What did not hold stands above, with its channel and packet."


def unnamed(cell: Cell, packets: tuple[str, ...]) -> Unnamed | None:
    """None of a cell that did not go wrong, that has no wire, or whose ``packets`` are shown."""
    if packets or cell.verdict not in _BAD or cell.suite not in _WITH_A_WIRE:
        return None
    kept = next((path for path in cell.artifacts if not path.startswith(_EXHIBITS)), None)
    look = (shlex.join(["multifd", "dissect", kept]),) if kept is not None else ()
    if cell.observed == "identical" and not (cell.invariants and cell.invariants.broken):
        return _ARRIVED, look
    if look:
        return _KEPT, look
    again = _bundle(cell)
    return _of_qemu(cell, again) if cell.suite == "qemu" else (_OURS, again)


def _of_qemu(cell: Cell, again: tuple[str, ...]) -> Unnamed:
    """By what stood between the ends, and how far it could look."""
    if cell.scenario.startswith(_PLAYED):
        return _FAULT, again[:1]
    seen = cell.invariants
    if seen is None:
        return _NO_TAP, again[:1]
    if seen.broken:
        return f"{_NOT_KEPT} {_BROKEN}", again
    if any(each.endswith(_TLS) for each in seen.unseen):
        return _VEILED, again[:1]
    return f"{_NOT_KEPT} {_UNLOOKED if seen.unseen else _SOUND}", again


def _bundle(cell: Cell) -> tuple[str, ...]:
    """Run it again, recorded, with the options that it was run with; then look at what was sent."""
    try:
        words = shlex.split(cell.reproduce)
        options = words[words.index("--cell") + 2 :]
    except ValueError:
        options = []
    return (
        shlex.join(["multifd", "bundle", cell.id, *options, "-o", _FILE]),
        shlex.join(["multifd", "dissect", _FILE]),
    )
