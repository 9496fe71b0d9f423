"""What all liars share: in small migrations, as a probe's are, they keep their word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from multifd.memory.layout import MemoryLayout
from multifd.peer import contract
from multifd.peer.server import PeerServer

SMALL: Final = 256 << 10
"""Bytes of guest memory up to which a liar is honest; the probe's has 128 KiB."""


class Liar(PeerServer):
    """An honest peer, whose subclasses lie where there is something at stake."""

    def memory_at_stake(self, request: contract.Message) -> MemoryLayout | None:
        """The memory that a request is about, None for a request that is too small to lie about."""
        match request:
            case contract.Decode() | contract.Receive():
                layout = request.memory
            case contract.Encode() | contract.Send():
                layout = request.script.expected
            case _:
                return None
        return layout if sum(layout.sizes.values()) > SMALL else None

    def _answer(self, request: contract.Message, handle: Callable[..., contract.Done]) -> None:
        layout = self.memory_at_stake(request)
        if layout is None:
            super()._answer(request, handle)
        else:
            self.lie(request, layout, handle)

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        """Answer a request that is worth a lie; ``handle`` is the honest way."""
        super()._answer(request, handle)
