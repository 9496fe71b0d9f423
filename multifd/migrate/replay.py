"""Decode a capture into guest memory, deterministically: epoch by epoch, channel after channel, in one thread."""

from __future__ import annotations

from typing import Final

from multifd.errors import WireError
from multifd.framing.coder import Codec
from multifd.migrate.apply import ChannelApplier, Destination, MainApplier, Reception
from multifd.migrate.capture import Capture
from multifd.migrate.stream import FileSource
from multifd.wire.return_path import StreamEnd

_CHUNK: Final = 1 << 20
"""Bytes of the main channel that are read at once; each may hold so many events."""
_END_SIZE: Final = 6
"""Bytes of the last section's footer and EOF."""
_END: Final = "7e, 4 bytes and 00: the last section's footer and EOF, or a whole description after these"


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
        """Apply everything; raises WireError, PayloadError or Unsupported at the first thing that is wrong.

        A main channel that stops within its device state is wrong too. Nothing of that is applied here, but no QEMU
        loads it (``qemu_loadvm_state_main``, migration/savevm.c, QEMU 10.2), and what sent it did not complete.
        """
        self._open()
        if self._capture.main_path is None:
            while self._epoch():
                pass
            return
        source = FileSource(self._capture.main_path)
        main, end = MainApplier(self._reception, self._destination), StreamEnd()
        ended, chunk = False, memoryview(b"")
        while source.left:
            chunk = source.read(_CHUNK)
            ended = end.feed(chunk)
            for _ in main.feed(chunk):
                if not self._epoch():
                    raise WireError("SYNC", "none on any channel", "one for each flush mark on the main channel")
        main.finish()
        for channel in self._channels:
            if channel.run_epoch():
                raise WireError("SYNC", f"one more on channel {channel.channel}", "a flush mark on the main channel")
        if not ended:
            raise WireError("main channel end", chunk[-_END_SIZE:].hex(" "), _END)

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
