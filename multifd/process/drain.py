"""What a process writes where nobody waits for it: read at once, so that it never blocks, and its end kept."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import IO, Final

_CHUNK: Final = 1 << 16


class Drain:
    """Reads a pipe to its end in a thread of its own, and closes it; the last ``keep`` bytes are kept."""

    def __init__(self, stream: IO[bytes], keep: int) -> None:
        self.written = 0
        """Bytes so far."""
        self._stream = stream
        self._keep = keep
        self._kept = bytearray()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, seconds: float = 0.5) -> None:
        """Wait for the last words of a process that has ended; no longer, for a process that it left behind."""
        self._thread.join(seconds)

    def tail(self) -> str:
        """What is kept, as text."""
        with self._lock:
            return self._kept.decode(errors="replace")

    def _run(self) -> None:
        with self._stream, suppress(OSError, ValueError):
            while chunk := os.read(self._stream.fileno(), _CHUNK):
                with self._lock:
                    self.written += len(chunk)
                    self._kept += chunk
                    del self._kept[: -self._keep]
