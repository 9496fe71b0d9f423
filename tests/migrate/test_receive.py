"""The return path of our receiver: real QEMU's stream is answered at its end, and never before."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from multifd.memory.image import GuestMemory
from multifd.migrate.address import connect
from multifd.migrate.capture import Capture
from multifd.peer import contract
from multifd.wire.packet import INIT_SIZE, RamHeader, pack_ram
from tests.migrate.live import LONG, Peers, read

CAPTURES: Final = Path(__file__).parents[1] / "captures"
SHUT: Final = bytes.fromhex("0001 0004 00000000")
LOST: Final = "multifd: SYNC is 'none on {}', expected one on main and every channel: others have it"
RECORDED: Final = ("qemu-7.2-zlib", "qemu-10.0-zstd")


@pytest.fixture(scope="module")
def peers() -> Iterator[Peers]:
    """Peer processes that every test here uses."""
    with closing(Peers()) as peers:
        yield peers


class Source:
    """Plays what QEMU sent to a receiver; the connections stay open as a source's do."""

    def __init__(self, capture: Capture, stack: ExitStack) -> None:
        assert capture.main_path is not None
        self.main_stream = capture.main_path.read_bytes()
        self.channels = [path.read_bytes() for path in capture.channel_paths()]
        self._stack = stack
        self._open: list[socket.socket] = []

    @property
    def main(self) -> socket.socket:
        """The connection of the main channel."""
        return self._open[0]

    def send(self, address: str, main_stream: bytes) -> socket.socket:
        """Send everything, of main only this; returns main."""
        main, *channels = [self._stack.enter_context(connect(address, LONG)) for _ in range(1 + len(self.channels))]
        main.sendall(main_stream)
        for connection, stream in zip(channels, self.channels, strict=True):
            connection.sendall(stream)
        self._open = [main, *channels]
        return main

    def end(self) -> None:
        """Send no more."""
        for connection in self._open:
            connection.shutdown(socket.SHUT_WR)


@pytest.fixture(params=RECORDED)
def capture(request: pytest.FixtureRequest) -> Capture:
    """What a real source sent."""
    return Capture.open(CAPTURES / request.param)


class Reception:
    """A receiver that takes a recorded migration."""

    def __init__(self, peers: Peers, directory: Path, capture: Capture, *, return_path: bool, stack: ExitStack) -> None:
        manifest = capture.manifest
        memory = stack.enter_context(GuestMemory.create(directory / "memory", manifest.ramblocks, manifest.page_size))
        self.source = Source(capture, stack)
        self.address = f"unix:{directory / 'receiver'}"
        self._peer = peers("receiver", capture.framing.name)
        self._peer.listen(
            directory / "receiver", LONG, memory=memory.layout, framing=capture.framing.name,
            dialect=manifest.dialect, machine="qemu-5.0" if manifest.dialect == "qemu-5.0" else "qemu-10.0",
            channels=manifest.channels, deadline=LONG, return_path=return_path,
        )  # fmt: skip

    def conclusion(self) -> contract.Conclusion:
        """How it ended."""
        return self._peer.conclusion(LONG)


def why(conclusion: contract.Conclusion) -> tuple[str, str]:
    """Kind and words of a failure."""
    assert isinstance(conclusion, contract.Failed)
    return conclusion.kind, conclusion.error


def test_a_source_that_waits_is_told_that_all_went_well(peers: Peers, capture: Capture, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=True, stack=stack)

        main = reception.source.send(reception.address, reception.source.main_stream)

        assert read(main, len(SHUT)) == SHUT
        reception.source.end()
        done = reception.conclusion()
    assert isinstance(done, contract.Done) and done.digest is not None
    assert done.digest["m"] == capture.manifest.sha256["m"]


def test_a_source_whose_stream_has_not_ended_is_not_answered(peers: Peers, capture: Capture, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=True, stack=stack)

        main = reception.source.send(reception.address, reception.source.main_stream[:-1])
        reception.source.end()

        assert read(main, len(SHUT)) == b""
        assert isinstance(reception.conclusion(), contract.Done)


def test_a_source_that_does_not_wait_is_not_answered(peers: Peers, capture: Capture, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=False, stack=stack)

        main = reception.source.send(reception.address, reception.source.main_stream)
        reception.source.end()

        assert read(main, len(SHUT)) == b""
        assert isinstance(reception.conclusion(), contract.Done)


def test_a_source_is_not_answered_before_its_pages_are_there(peers: Peers, capture: Capture, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=True, stack=stack)
        reception.source.channels[1] = reception.source.channels[1][:INIT_SIZE]

        main = reception.source.send(reception.address, reception.source.main_stream)
        reception.source.end()

        assert read(main, len(SHUT)) == b""
        assert why(reception.conclusion()) == ("wire", LOST.format("channel 1"))


def test_a_channel_with_garbage_does_not_keep_main_waiting(peers: Peers, tmp_path: Path) -> None:
    capture = Capture.open(CAPTURES / "qemu-10.0-zstd")
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=False, stack=stack)
        opened = [stream[:INIT_SIZE] for stream in reception.source.channels]
        reception.source.channels = [opened[0] + b"\xaa" * 12, opened[1]]

        reception.source.send(reception.address, reception.source.main_stream)

        assert why(reception.conclusion()) == (
            "wire",
            "multifd: received packet magic aaaaaaaa, expected 11223344",
        )


def test_a_second_main_channel_is_refused(peers: Peers, capture: Capture, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=False, stack=stack)
        for _ in range(2):
            stack.enter_context(connect(reception.address, LONG)).sendall(reception.source.main_stream[:100])

        assert why(reception.conclusion()) == (
            "wire",
            "multifd: received packet magic 5145564d expected 11223344",
        )


def test_a_channel_with_one_sync_too_many_does_not_wait_for_main(peers: Peers, tmp_path: Path) -> None:
    capture = Capture.open(CAPTURES / "qemu-10.0-zstd")
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=False, stack=stack)
        reception.source.channels[0] += pack_ram(RamHeader(1, 0, 0, 0, 0, 0, "", np.empty(0, np.uint64)), 4096)

        reception.source.send(reception.address, reception.source.main_stream)
        reception.source.main.shutdown(socket.SHUT_WR)

        assert why(reception.conclusion()) == ("wire", LOST.format("main"))


def test_a_sender_that_has_closed_is_no_failure(peers: Peers, capture: Capture, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reception = Reception(peers, tmp_path, capture, return_path=True, stack=stack)

        with ExitStack() as gone:
            Source(capture, gone).send(reception.address, reception.source.main_stream)

        assert isinstance(reception.conclusion(), contract.Done)
