"""``page-edge``: in one migration every encoder writes streams of exactly a page, a byte less and a byte more."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from multifd.codec import factories
from multifd.codec.contract import peer_name
from multifd.libraries.find import Library, python_command
from multifd.lineup.devices import device_peers
from multifd.memory.corpora.edges import PAGE_EDGE
from multifd.memory.corpus import CORPORA
from multifd.profile.load import load
from tests.memory.streams import FRAMINGS, GUEST, sizes

PAGE: Final = 4096
ROOT: Final = Path(__file__).resolve().parents[2]
Entrant = tuple[str, dict[str, int], Library | None]

STORED: Final = {"zlib[level=0]"}
"""Stored blocks only: every stream is longer than its page by the same number of bytes."""
BELOW: Final = {("iaa-emulated", "qpl")}
"""The silicon is given a byte less than a page of room; what does not fit is written as a stored block, which is longer
than a page by five."""


def entrants() -> dict[str, Entrant]:
    """Senders of the default profile that have a page-wise framing, vendor libraries included where they are."""
    profile = load("auto")
    found: dict[str, Entrant] = {}
    for codec, parameters, library in (
        *((entry.codec, entry.parameters, None) for entry in profile.peers if "sender" in entry.roles),
        *((peer.codec, peer.parameters, peer.library) for peer in device_peers(profile, [])),
    ):
        if codec is not None and codec not in ("none", "zstd"):
            found[peer_name(factories()[codec], parameters)] = codec, dict(parameters), library
    return found


ENTRANTS: Final = entrants()


def streams(name: str) -> dict[str, list[int]]:
    """Lengths of its streams by framing."""
    codec, parameters, library = ENTRANTS[name]
    if library is None:
        return sizes(codec, parameters)
    arguments = [f"{key}={value}" for key, value in parameters.items()]
    command, environment = python_command(library, ["-m", "tests.memory.streams", codec, *arguments])
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    found: dict[str, list[int]] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("name", ENTRANTS)
def test_streams_of_a_page_and_of_a_byte_less_and_more_come_out_of_every_encoder(name: str) -> None:
    made = streams(name)

    assert made
    for framing, lengths in made.items():
        expected = {PAGE - 1} if (name.partition("[")[0], framing) in BELOW else {PAGE - 1, PAGE, PAGE + 1}
        assert {PAGE - 1, PAGE, PAGE + 1} & set(lengths) == (set() if name in STORED else expected), framing


def test_the_default_profile_sends_every_page_wise_framing() -> None:
    assert {framing for name in ("zlib", "uadk-emulated", "iaa-emulated") for framing in streams(name)} == set(FRAMINGS)


@pytest.mark.parametrize("codec", ["zlib", "libdeflate", "qat-emulated"])
def test_pages_of_16_kib_have_an_edge_too(codec: str) -> None:
    for lengths in sizes(codec, {}, 16384).values():
        assert {16383, 16384, 16385} <= set(lengths)


@pytest.mark.parametrize("page_size", PAGE_EDGE)
def test_a_page_is_zero_behind_a_point_that_moves_by_a_byte(page_size: int) -> None:
    content = CORPORA["page-edge"].of_pages(page_size).content(4 * GUEST, 1)
    pages = np.frombuffer(content, np.uint8).reshape(-1, page_size)

    points = [page_size - int((page[::-1] != 0).argmax()) for page in pages]
    swept = [length for sweep in PAGE_EDGE[page_size] for length in sweep]
    # The last byte before it may be a zero by chance.
    assert all(point in (length, length - 1) for point, length in zip(points, swept, strict=False))


def test_a_page_of_4_kib_is_what_is_meant_where_nothing_else_is_said() -> None:
    corpus = CORPORA["page-edge"]

    assert (
        corpus.content(GUEST, 1) == corpus.of_pages(4096).content(GUEST, 1) != corpus.of_pages(16384).content(GUEST, 1)
    )


def test_a_corpus_that_is_not_about_pages_is_the_same_for_all_of_them() -> None:
    assert CORPORA["text"].of_pages(65536) is CORPORA["text"]
