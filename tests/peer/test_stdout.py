"""A library that prints: what it says is for the log, and stdout is for replies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from multifd.peer.client import PeerProcess
from multifd.process.python import ENVIRONMENT

TALKATIVE = """
import ctypes, sys
from multifd.peer import __main__, server
create = server.create
def making(*given):
    ctypes.CDLL(None).printf(b"[error] no device\\n")
    return create(*given)
server.create = making
sys.exit(__main__.main(["zlib", *sys.argv[1:]]))
"""


@contextmanager
def talking(*parameters: str) -> Iterator[PeerProcess]:
    process = PeerProcess("talkative", (sys.executable, "-P", "-c", TALKATIVE, *parameters), ENVIRONMENT)
    try:
        yield process
    finally:
        process.quit()


def test_what_a_library_prints_is_in_the_log_at_once() -> None:
    with talking() as process:
        introduced = process.hello(20)

        assert (introduced.codec, process.log) == ("zlib", "[error] no device")


def test_what_a_library_prints_disturbs_no_reply() -> None:
    with talking() as process:
        names = [process.hello(20).name for _ in range(3)]

        assert names == ["zlib"] * 3
