"""What a sender can do wrong, in every framing, in every dialect, everywhere: a covering selection.

Each fault meets every framing that it applies to and, in these cells or in further ones, every dialect, both rounds,
the first, a middle and the last packet, and each channel; a fault in a payload also every decoder that reads one. Which
values stand together follows from the names alone. The content is noise, of which it is known where it is in a payload;
what a stream keeps from packet to packet needs text.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from multifd.framing.container import Container, trailer_length
from multifd.framing.model import FRAMINGS, Framing, Scope
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able, pairing_cell
from multifd.plan.reference import reference_pair
from multifd.wire.dialect import DIALECTS, Dialect, SyncCarrier, ZeroPages
from multifd.wire.fault import CHANNELS, FAULTS, SENT, WHICH, Bit, Fault, Lengths, Overwrite, Packet, Payload, Place
from multifd.wire.fields import INIT

SIZES: Final = {f"block-{number}": 32 << 10 for number in range(9)}
"""RAM blocks of eight pages: a packet is of one block, so each channel has three packets with pages in each round."""
NOISE: Final = "random"
TEXT: Final = "text"
PLACES: Final = tuple(Place(*values) for values in itertools.product(SENT, WHICH, range(CHANNELS)))

_AMID: Final = Place(1, "middle", 0)
"""Where a stream refers to what came before, and something follows."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where, how and to whom a fault is played."""

    framing: Framing
    dialect: Dialect
    place: Place
    receiver: str

    def shows(self) -> set[object]:
        """What it covers."""
        place = self.place
        return {
            self.framing.name, self.dialect.name, self.receiver, ("round", place.round), ("packet", place.packet),
            ("channel", place.channel),
        }  # fmt: skip


def fault_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every fault of ours, each with its covering selection."""
    reading = {name: sorted(peer.name for peer in readers(line_up, name)) for name in FRAMINGS}
    chosen = [(fault, way) for fault in FAULTS.values() for way in _covering(fault, reading)]
    # What is played from one capture stands together.
    for fault, way in sorted(chosen, key=lambda each: (each[1].framing.name, each[1].dialect.order)):
        yield _cell(line_up, fault, way, NOISE)
    for spoken, fault in itertools.product((DIALECTS["qemu-5.0"], DIALECTS["qemu-10.0"]), FAULTS.values()):
        way = _Way(FRAMINGS["zlib"], spoken, _AMID, "zlib")
        if isinstance(fault.deed, Packet) and applies(fault.at(_AMID), way.framing, spoken):
            yield _cell(line_up, fault, way, TEXT)


def applies(fault: Fault, framing: Framing, spoken: Dialect) -> bool:
    """There is such a thing to do wrong at this place, and it is known what follows."""
    place, deed = fault.place, fault.deed
    last = place.packet == "last"
    carries_sync = spoken.sync is SyncCarrier.DATA and last
    match deed:
        case Overwrite(packet=packet) if packet is INIT:
            there = (place.round, place.packet) == (1, "first") and not (deed.value == 0 and place.channel == 0)
        case Overwrite(field="zero_pages", value=-1):
            there = bool(SENT[place.round][1]) and spoken.zero_pages is ZeroPages.PACKET
        case Packet.BEHIND_SYNC:
            # Main's zero pages of the next round would race with it.
            there = not carries_sync and (place.round > 1 or spoken.zero_pages is ZeroPages.PACKET)
        case Packet.ROUND_LATE:
            there = place.round < len(SENT) and not carries_sync
        case Bit.FIRST:
            there = framing.container is not Container.ZSTD or (place.round, place.packet) == (1, "first")
        case Bit.LAST:
            there = framing.scope is not Scope.PACKET or trailer_length(framing.container) > 0
        case Payload.SHORT:
            there = not framing.raw_pages
        case Payload.NO_TRAILER:
            there = framing.scope is Scope.PACKET and trailer_length(framing.container) > 0
        case Payload.TWICE:
            there = framing.scope is Scope.PACKET
        case Payload.ENDED:
            there = framing.scope is Scope.CHANNEL
        case Lengths():
            there = framing.length_table
        case _:
            there = True
    return there


def _covering(fault: Fault, reading: dict[str, list[str]]) -> Iterator[_Way]:
    """One way for each framing, each as different from those before as can be, and what is still missing then."""
    everything = list(_ways(fault, reading))
    wanted = set[object]().union(*(way.shows() for way in everything))
    if not isinstance(fault.deed, Bit | Payload | Lengths):
        wanted -= {name for names in reading.values() for name in names}
    for name in FRAMINGS:
        ways = [way for way in everything if way.framing.name == name]
        if ways:
            best = max(ways, key=lambda way: len(way.shows() & wanted))
            wanted -= best.shows()
            yield best
    while wanted:
        best = max(everything, key=lambda way: len(way.shows() & wanted))
        wanted -= best.shows()
        yield best


def _ways(fault: Fault, reading: dict[str, list[str]]) -> Iterator[_Way]:
    """All there are, readers taking turns, in an order that depends on nothing but names."""
    ways: list[_Way] = []
    for framing in FRAMINGS.values():
        turns = itertools.cycle(reading[framing.name])
        for spoken, place in itertools.product(DIALECTS.values(), PLACES):
            if framing.travels_as in spoken.flags and applies(fault.at(place), framing, spoken):
                ways.append(_Way(framing, spoken, place, next(turns)))
    yield from sorted(ways, key=lambda way: _lot(fault, way))


def _lot(fault: Fault, way: _Way) -> bytes:
    name = f"{fault.name}/{way.framing.name}/{way.dialect.name}/{way.place}/{way.receiver}"
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def readers(line_up: LineUp, name: str) -> list[LineUpPeer]:
    """Decoders that read a framing as its reference sends it, the reference itself in any case."""
    sender, reference = reference_pair(line_up, name, name)
    others = [peer for peer in line_up.receivers() if peer.name != reference.name and _reads(sender, peer, name)]
    return [reference, *others]


def _reads(sender: LineUpPeer, receiver: LineUpPeer, name: str) -> bool:
    if receiver.skip is not None or receiver.probe is not None or not able(sender, receiver, name, name):
        return False
    return _pairing(sender, receiver, name).prediction.outcome == "identical"


def _pairing(sender: LineUpPeer, receiver: LineUpPeer, name: str) -> PlannedCell:
    return pairing_cell("negotiation", sender, receiver, name, "fault", SIZES, corpus=NOISE, channels=CHANNELS)


def _cell(line_up: LineUp, fault: Fault, way: _Way, corpus: str) -> PlannedCell:
    sender, reference = reference_pair(line_up, way.framing.name, way.framing.name)
    named: Sequence[LineUpPeer] = [peer for peer in line_up.receivers() if peer.name == way.receiver]
    return pairing_cell(
        "negotiation", sender, named[0] if named else reference, way.framing.name, "fault", SIZES,
        dialects=way.dialect.name, corpus=corpus, channels=CHANNELS, fault=str(fault.at(way.place)),
    )  # fmt: skip
