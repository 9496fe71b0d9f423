"""What a sender can do wrong, in every framing, in every dialect, everywhere: a covering selection.

Each fault meets every framing that it applies to and, in these cells or in further ones, every dialect, both rounds,
the first, a middle and the last packet, and each channel; a fault in a payload also every decoder that reads one. Which
values stand together follows from the names alone. The content is noise, of which it is known where it is in a payload;
what a stream keeps from packet to packet needs text.
"""

from __future__ import annotations

import hashlib
import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from multifd.framing.container import Container, trailer_length
from multifd.framing.model import FRAMINGS, Framing, Scope
from multifd.lineup.peers import LineUp, LineUpPeer
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import able, pairing_cell
from multifd.plan.plain import plain
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


class _Way(NamedTuple):
    """Where, how and to whom a fault is played."""

    framing: Framing
    dialect: Dialect
    place: Place
    receiver: str


class _Bits(dict[object, int]):
    """A bit for each value, so that a set of values is a number: there are a hundred thousand such sets."""

    def __missing__(self, value: object) -> int:
        self[value] = 1 << len(self)
        return self[value]


def fault_plan(line_up: LineUp) -> Iterator[PlannedCell]:
    """Every fault of ours, each with its covering selection."""
    able_ones = {name: {peer.name: peer for peer in readers(line_up, name)} for name in FRAMINGS}
    reading = {name: sorted(peers) for name, peers in able_ones.items()}
    chosen = [(fault, way, NOISE) for fault in FAULTS.values() for way in _covering(fault, reading)]
    # What is played from one capture stands together.
    chosen.sort(key=lambda each: (each[1].framing.name, each[1].dialect.order))
    for fault, way, corpus in itertools.chain(chosen, _of_streams()):
        name = way.framing.name
        sender, reference = reference_pair(line_up, name, name)
        yield pairing_cell(
            "negotiation", sender, able_ones[name].get(way.receiver, reference), name, "fault", SIZES,
            dialects=way.dialect.name, corpus=corpus, channels=CHANNELS, fault=str(fault.at(way.place)),
        )  # fmt: skip


def _of_streams() -> Iterator[tuple[Fault, _Way, str]]:
    """Packets that are not where they should be, in a stream that refers to them."""
    for spoken, fault in itertools.product((DIALECTS["qemu-5.0"], DIALECTS["qemu-10.0"]), FAULTS.values()):
        way = _Way(FRAMINGS["zlib"], spoken, _AMID, "zlib")
        if isinstance(fault.deed, Packet) and applies(fault.at(_AMID), way.framing, spoken):
            yield fault, way, TEXT


def applies(fault: Fault, framing: Framing, spoken: Dialect) -> bool:
    """There is such a thing to do wrong at this place, and it is known what follows."""
    place, deed = fault.place, fault.deed
    last = place.packet == "last"
    carries_sync = spoken.sync is SyncCarrier.DATA and last
    match deed:
        case Overwrite(packet=packet) if packet is INIT:
            there = (place.round, place.packet) == (1, "first") and not (deed.value == 0 and place.channel == 0)
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


def _covering(fault: Fault, reading: Mapping[str, Sequence[str]]) -> Iterator[_Way]:
    """One way for each framing, each as different from those before as can be, and what is still missing then."""
    found = _ways(fault, reading)
    everything = list(zip(_shown(fault, found), found, strict=True))
    by_framing: dict[str, list[tuple[int, _Way]]] = {name: [] for name in FRAMINGS}
    wanted = 0
    for values, way in everything:
        by_framing[way.framing.name].append((values, way))
        wanted |= values
    for ways in itertools.chain(by_framing.values(), itertools.repeat(everything)):
        if ways is everything and not wanted:
            return
        if ways:
            values, best = max(ways, key=lambda each: (each[0] & wanted).bit_count())
            wanted &= ~values
            yield best


def _shown(fault: Fault, ways: Iterable[_Way]) -> Iterator[int]:
    """What each covers: who reads it counts only of a fault in what is read."""
    of_payload = isinstance(fault.deed, Bit | Payload | Lengths)
    bits = _Bits()
    places = {
        place: bits["round", place.round] | bits["packet", place.packet] | bits["channel", place.channel]
        for place in PLACES
    }
    for framing, spoken, place, receiver in ways:
        reader = bits["reader", receiver] if of_payload else 0
        yield bits["framing", framing.name] | bits["dialect", spoken.name] | places[place] | reader


def _ways(fault: Fault, reading: Mapping[str, Sequence[str]]) -> list[_Way]:
    """All there are, in an order that depends on nothing but names, each with one of its readers, likewise."""
    drawn: list[tuple[int, _Way]] = []
    placed = [(str(place), fault.at(place)) for place in PLACES]
    for framing, spoken in itertools.product(FRAMINGS.values(), DIALECTS.values()):
        if framing.travels_as not in spoken.flags:
            continue
        name, readers = f"{fault.name}/{framing.name}/{spoken.name}", reading[framing.name]
        for place, each in placed:
            if applies(each, framing, spoken):
                lot = _lot(f"{name}/{place}")
                drawn.append((lot, _Way(framing, spoken, each.place, readers[lot % len(readers)])))
    drawn.sort(key=operator.itemgetter(0))
    return [way for _, way in drawn]


def _lot(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def readers(line_up: LineUp, name: str) -> list[LineUpPeer]:
    """Decoders that read a framing as its reference sends it, the reference itself in any case."""
    sender, reference = reference_pair(line_up, name, name)
    standing = plain(line_up.receivers(), "receiver")
    others = [peer for peer in standing if peer.name != reference.name and _reads(sender, peer, name)]
    return [reference, *others]


def _reads(sender: LineUpPeer, receiver: LineUpPeer, name: str) -> bool:
    """Whether its probe has failed does not matter: its cells are skipped then, and the plan is the same."""
    if not able(sender, receiver, name, name):
        return False
    cell = pairing_cell("negotiation", sender, receiver, name, "fault", SIZES, corpus=NOISE, channels=CHANNELS)
    return cell.prediction.outcome == "identical"
