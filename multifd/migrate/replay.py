"""Decode a capture into guest memory, deterministically: epoch by epoch, channel after channel, in one thread."""

from __future__ import annotations

from typing import Final

from multifd.errors import WireError
from multifd.framing.coder import Codec
from multifd.migrate.apply import ChannelApplier, Destination, MainApplier, Reception
from multifd.migrate.capture import Capture
from multifd.migrate.stream import FileSource

_CHUNK: Final = 1 << 20
"""Bytes of the main channel that are read at once; each may hold so many events."""


class Replay:
    """One pass over a capture."""

    def __init__(self, capture: Capture, reception: Reception, codec: Codec, destination: Destination) -> None:
        self._capture = capture
        self._reception = reception
        self._destination = destination
        self._channels = [
            ChannelApplier(reception, codec, destination, FileSource(path)) for path in capture.channel_paths()
        ]

    @property
    def packets(self) -> int:
        """Packets whose pages were applied."""
        return sum(channel.packets for channel in self._channels)

    def run(self) -> None:
        """Apply everything; raises WireError, PayloadError or Unsupported at the first thing that is wrong."""
        self._open()
        if self._capture.main_path is None:
            while self._epoch():
                pass
            return
        source = FileSource(self._capture.main_path)
        main = MainApplier(self._reception, self._destination)
        while source.left:
            for _ in main.feed(source.read(_CHUNK)):
                if not self._epoch():
                    raise WireError("SYNC", "none on any channel", "one for each flush mark on the main channel")
        main.finish()
        for channel in self._channels:
            if channel.run_epoch():
                raise WireError("SYNC", f"one more on channel {channel.channel}", "a flush mark on the main channel")

    def _open(self) -> None:
        for expected, channel in enumerate(self._channels):
            if channel.open() != expected:
                raise WireError("channel id", channel.channel, f"{expected}, as the file's name says")

    def _epoch(self) -> bool:
        """Apply one epoch on all channels; False at the end of all of them."""
        synced = [channel.run_epoch() for channel in self._channels]
        if any(synced) and not all(synced):
            lacking = [n for n, reached in enumerate(synced) if not reached]
            raise WireError("SYNC", f"none on channels {lacking}", "one on every channel, for others have it")
        return all(synced)
