"""Faults that a receiver must notice, or is known not to: one field of one packet, overwritten on its way.

A receiver can only be trusted with what it refuses. The wire has no checksum, so that each field stands for itself: a
fault puts into one of them a value that no sender sends, all others stay, and the oracle predicts what follows from
what the receiver's generation looks at:

* the field is looked at: the receiver refuses, in the words of its generation (:mod:`multifd.wire.wording`);
* it is not, or the generation has no words for it: nobody notices, and memory arrives as if nothing were wrong.

What is overwritten is a recording of :data:`CHANNELS` channels with pages of 4 KiB, in the init packet or in the first
packet with pages of channel :data:`CHANNEL`. A new fault is one more row here: it is played to every dialect and
every real QEMU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from multifd.wire.dialect import Dialect
from multifd.wire.fields import INIT, MAGIC, RAM, VERSION, Field, Layout

CHANNEL: Final = 1
"""The channel that the fault is on."""
CHANNELS: Final = 2
"""How many the recording has."""
RECORDED: Final = "…"
"""Stands in a message for what the recording decides."""
_SPECIAL: Final = re.compile(r"[.^$*+?()\[\]{}\\|]")
"""Not :func:`re.escape`, which escapes spaces too: predictions are read by people."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field of a packet that is overwritten on its way."""

    name: str
    packet: Layout
    field: str
    value: int | str | UUID
    why: str
    """What is wrong then, or why nobody notices."""
    complaint: str | None = None
    """Which of the generation's messages says so (:class:`multifd.wire.wording.Wording`); None if there is none."""
    expected: int | str | UUID = ""
    """What that message says should have been; the method's flag for flags."""
    added: bool = False
    """The bits of ``value`` are set, and the field's others stay."""

    @property
    def place(self) -> Field:
        """The field's row."""
        return self.packet[self.field]

    def damage(self, packet: bytearray, at: int = 0) -> None:
        """Overwrite the field of the packet that starts at byte ``at``."""
        value = self.value
        if self.added:
            kept = self.place.read(packet, at)
            assert isinstance(value, int) and isinstance(kept, int)
            value |= kept
        self.place.write(packet, value, at)

    def words(self, spoken: Dialect, method: str) -> str:
        """What a receiver of this dialect and method says, :data:`RECORDED` for what the recording decides.

        Empty where it does not notice.
        """
        if self.complaint is None:
            return ""
        template: str = getattr(spoken.wording, self.complaint)
        value, expected = self.value, self.expected
        if self.complaint == "flags":
            assert isinstance(value, int)
            value, expected = value & spoken.mask, spoken.flag(method)
        return template.format(value=value, expected=expected, channel=CHANNEL)

    def error(self, spoken: Dialect, method: str) -> str:
        """The same as a regular expression."""
        return _SPECIAL.sub(r"\\\g<0>", self.words(spoken, method)).replace(RECORDED, "[0-9a-f]+")


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            Fault("init-magic", INIT, "magic", 0x11223345, "the init packet's magic is wrong", "init_magic", MAGIC),
            Fault("init-version", INIT, "version", 2, "the init packet's version is wrong", "init_version", VERSION),
            Fault("init-uuid", INIT, "uuid", UUID(int=1), "the init packet carries another guest's uuid",
                  "init_uuid", UUID(int=0)),
            Fault("init-id", INIT, "id", 200, "the channel id is beyond the number of channels", "init_id", CHANNELS),
            Fault("init-id-twice", INIT, "id", 0, "two channels have one id", "init_id_twice"),
            Fault("magic", RAM, "magic", 0x11223345, "a packet's magic is wrong", "magic", MAGIC),
            Fault("version", RAM, "version", 2, "a packet's version is wrong", "version", VERSION),
            Fault("flags-unknown-method", RAM, "flags", 3 << 1, "the flags name a method that does not exist", "flags"),
            Fault("flags-all", RAM, "flags", 0x1F << 1, "every method's flag is set", "flags"),
            Fault("pages-alloc", RAM, "pages_alloc", 129, "the packet announces more slots than fit",
                  "pages_alloc", 128),
            Fault("normal-pages", RAM, "normal_pages", 129, "more normal pages than slots", "normal_pages", 128),
            Fault("packet-size", RAM, "next_packet_size", 3 << 20, "the payload is larger than any packet's",
                  "next_packet_size"),
            Fault("ramblock", RAM, "ramblock", "X", "the RAM block does not exist", "ramblock"),
            Fault("offset", RAM, "offset", 1 << 40, "a page lies beyond its RAM block", "offset", RECORDED),
            Fault("flags-ignored-bit", RAM, "flags", 1 << 12, "a flag bit that no mask covers is not looked at",
                  added=True),
        )
    }
)  # fmt: skip
"""All faults by name."""
