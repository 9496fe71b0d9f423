"""What nobody waits for is read all the same, and its end is kept."""

from __future__ import annotations

import os
import time
from typing import Final

from multifd.process.drain import Drain

LONG: Final = 20.0


def test_whoever_writes_is_never_blocked_and_the_end_is_kept() -> None:
    read, write = os.pipe()
    drain = Drain(os.fdopen(read, "rb", 0), keep=5)

    with os.fdopen(write, "wb") as stream:
        stream.write(b"x" * (4 << 20) + b"the end")
    drain.finish(LONG)

    assert (drain.tail(), drain.written) == ("e end", (4 << 20) + 7)


def test_a_little_is_kept_whole() -> None:
    read, write = os.pipe()
    drain = Drain(os.fdopen(read, "rb", 0), keep=100)

    os.write(write, b"last \xff")
    os.close(write)
    drain.finish(LONG)

    assert drain.tail() == "last \N{REPLACEMENT CHARACTER}"


def test_a_stream_that_somebody_holds_open_is_not_waited_for() -> None:
    read, write = os.pipe()
    drain = Drain(os.fdopen(read, "rb", 0), keep=100)
    began = time.monotonic()

    drain.finish(0.1)

    assert 0.1 <= time.monotonic() - began < LONG
    os.close(write)
