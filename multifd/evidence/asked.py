"""What an end of a migration asks of its device by the rules of the vendor's library, and what the end says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from multifd.peer import contract


@dataclass(frozen=True, slots=True)
class Asked:
    """What the library gives to the device, in jobs and in bytes, and what it does not."""

    least: int = 0
    """Jobs that there must be."""
    most: int | None = None
    """Jobs that there can be, None where the rules set no limit."""
    read: int = 0
    """Bytes of input, at least: what libqatzip adds to a session's ``total_in`` for calls that began on the device, and
    which is more than its device's share where software ends such a call
    (:mod:`multifd.codec.silicon.libqatzip_routing`)."""
    software: str = ""
    """What the library does in software by its own rules, and why, in words; empty for nothing."""


NOTHING: Final = Asked(most=0)
"""A device that has nothing to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was asked of one end, and how it says that it ended; None for one that says nothing (a real QEMU)."""

    asked: Asked
    said: contract.Done | None = None
