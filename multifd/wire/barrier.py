"""What SYNC means across channels.

Everything that precedes the k-th SYNC on every channel, and the k-th flush mark on the main channel, is applied
before anything that follows any of them; within an epoch the channels are unordered
(``multifd_recv_sync_main``, migration/multifd.c, QEMU 10.2). This class only counts; whoever runs the channels waits.
"""

from __future__ import annotations

from multifd.errors import WireError

MAIN = -1
"""The main channel's place at the barrier."""


class SyncBarrier:
    """Counts arrivals of ``channels`` multifd channels and the main channel, epoch by epoch."""

    def __init__(self, channels: int) -> None:
        self.epoch = 0
        self._everyone = frozenset({MAIN, *range(channels)})
        self._arrived: set[int] = set()

    @property
    def missing(self) -> frozenset[int]:
        """Who has not reached the end of the current epoch."""
        return self._everyone - self._arrived

    def arrive(self, channel: int) -> bool:
        """A channel reached the end of its epoch; True if that ended the epoch for everybody."""
        if channel in self._arrived:
            raise WireError(
                "SYNC",
                f"a second one on channel {channel}",
                f"channels {sorted(self.missing)} to end epoch {self.epoch}",
            )
        self._arrived.add(channel)
        if self.missing:
            return False
        self._arrived.clear()
        self.epoch += 1
        return True
