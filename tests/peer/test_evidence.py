"""What a peer tells of its library's work: what was counted between the request and its answer, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from multifd.codec import create
from multifd.memory.corpus import CORPORA
from multifd.memory.rounds import build
from multifd.peer import contract
from multifd.peer.server import PeerServer

PAGES: Final = 32
SIZES: Final = {"pc.ram": PAGES << 12}


def encoded(server: PeerServer, directory: Path, framing: str) -> contract.Done:
    """A migration of text into a capture, all of its pages with content, as asked for on stdin."""
    request = contract.Encode(
        id=1,
        script=build(directory / "memory", CORPORA["text"], 1, SIZES, 4096, "single"),
        framing=framing,
        dialect="qemu-10.0",
        channels=2,
        capture=str(directory / "capture"),
    )
    output = io.StringIO()
    server._output = output
    server.serve(io.StringIO(request.model_dump_json() + "\n"))
    done = contract.REPLY.validate_json(output.getvalue())
    assert isinstance(done, contract.Done), done
    return done


def server(codec: str, **parameters: int) -> PeerServer:
    return PeerServer(create(codec, parameters), codec, io.StringIO())


def test_the_jobs_of_a_request_are_told_with_what_was_read_before_and_after(tmp_path: Path) -> None:
    peer = server("iaa-emulated")

    first, second = encoded(peer, tmp_path / "1", "qpl").library, encoded(peer, tmp_path / "2", "qpl").library

    assert first is not None and second is not None
    assert (first.unit, first.before, first.after) == ("jobs", 0, PAGES)
    assert (second.before, second.after) == (PAGES, 2 * PAGES)


def test_what_went_to_software_was_busy_or_faulted_is_that_of_the_request_alone(tmp_path: Path) -> None:
    peer = server("iaa-emulated", queue=0)
    encoded(peer, tmp_path / "1", "qpl")

    done = encoded(peer, tmp_path / "2", "qpl")

    assert (done.software, done.busy, done.faults) == (PAGES, 3 * PAGES, 0)


def test_faults_are_told(tmp_path: Path) -> None:
    assert encoded(server("iaa-emulated", fault=4), tmp_path, "qpl").faults > 0


def test_a_library_that_counts_nothing_is_not_told_of(tmp_path: Path) -> None:
    done = encoded(server("qat-emulated", device=0), tmp_path, "qatzip")

    assert (done.library, done.software) == (None, 0)


def test_neither_is_a_codec_of_the_cpu(tmp_path: Path) -> None:
    assert encoded(server("zlib"), tmp_path, "zlib").library is None
