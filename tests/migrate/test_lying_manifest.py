"""A capture whose manifest names another page size than was sent: nobody takes it for memory."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import pytest

from multifd.codec import create
from multifd.evidence.measure import measure
from multifd.memory.corpus import CORPORA
from multifd.memory.layout import PageSize
from multifd.memory.rounds import build
from multifd.migrate.capture import MANIFEST, Capture
from multifd.peer import contract
from multifd.peer.server import PeerServer
from tests.cli.command import multifd
from tests.migrate.recording import FAMILIES, Family

SIZES = {"pc.ram": 1 << 20, "vga.vram": 256 << 10}
PAGE_SIZES: tuple[PageSize, ...] = (4096, 16384, 65536)


def recorded(directory: Path, family: Family, page_size: PageSize) -> Capture:
    """A capture of one round."""
    script = build(directory / "script", CORPORA["text"], 1, SIZES, page_size, "single")
    PeerServer(create(family.codec), family.codec, io.StringIO()).encode(
        contract.Encode(
            id=1,
            script=script,
            framing=family.framing,
            dialect=family.dialect,
            channels=2,
            capture=str(directory / "capture"),
        )
    )
    return Capture.open(directory / "capture")


def saying(capture: Capture, page_size: int) -> Capture:
    """The same bytes under a manifest that names this page size."""
    path = capture.directory / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"page_size": page_size}))
    return Capture.open(capture.directory)


@pytest.mark.parametrize(("sent", "said"), list(itertools.permutations(PAGE_SIZES, 2)))
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_another_page_size_than_was_sent_is_refused_by_every_reader(
    family: Family, sent: PageSize, said: PageSize, tmp_path: Path
) -> None:
    honest = recorded(tmp_path, family, sent)
    assert measure(honest).problems == []

    capture = saying(honest, said)

    replayed = multifd("replay", capture.directory, "--json", "--decoder", family.codec)
    assert (replayed.code, json.loads(replayed.out)["outcome"]) == (2, "unreadable")
    assert multifd("dissect", capture.directory).code == 2
    (problem,) = measure(capture).problems
    assert problem.startswith("multifd: received packet magic ")
