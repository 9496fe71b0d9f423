"""Peers that do not live to answer, or not soon: they hang, crash, go or compute, wherever something is asked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

from multifd.memory.layout import MemoryLayout
from multifd.peer import contract
from tests.liars.base import Liar

_LONG: Final = 2.5
"""Seconds: more than one deadline of a court in a hurry, less than it gives to who computes."""


def _hang() -> None:
    while True:
        time.sleep(60)


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _compute() -> None:
    end = time.monotonic() + _LONG
    while time.monotonic() < end:
        pass


ENDS: Final[Mapping[str, Callable[[], None]]] = {
    "hangs": _hang,
    "crashes": _crash,
    "computes": _compute,
    "exits": lambda: os._exit(3),
    "exits-zero": lambda: os._exit(0),
}
"""Ways not to answer, or not soon."""

PLACES: Final = ("hello", "encode", "decode", "receive", "listening", "send", "leisure")
"""Where: ``receive`` before it listens, ``listening`` after; ``leisure`` when the request has been answered."""


class Mortal(Liar):
    """Ends in one way at one place."""

    end: Callable[[], None]
    place: str

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        self._at("hello")
        return super().introduce(request)

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        self._at(type(request).__name__.lower())
        super().lie(request, layout, handle)
        self._at("leisure")

    def reply(self, message: contract.Message) -> None:
        super().reply(message)
        if isinstance(message, contract.Listening):
            self._at("listening")

    def _at(self, place: str) -> None:
        if place == self.place:
            type(self).end()


MORTALS: Final[Mapping[str, type[Liar]]] = {
    f"{how}-in-{place}": type(
        "Mortal", (Mortal,), {"end": staticmethod(end), "place": place, "__doc__": f"It {how} in {place}."}
    )
    for (how, end), place in product(ENDS.items(), PLACES)
}
"""All ways at all places."""
