"""Scripts: which pages change and are sent in which dirty round, and what the memory is each time.

What goes wrong in a migration beyond a single page goes wrong between rounds: a page becomes zero after its
content was sent, a zero page gets content, a packet is not full, a round has nothing to send. Each shape is
one such history. It is played on a draft of the whole memory; whenever the history pauses to send, the draft
is saved as one image. Memory needed: the guest's size, and about twice that while content is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from pydantic import ValidationError

from multifd.errors import InputError
from multifd.memory.corpus import Corpus
from multifd.memory.draft import Draft
from multifd.memory.host import blaming
from multifd.memory.layout import Mask, PageSize, Round, Script

MINIMUM_PAGES: Final = 8
"""Pages that a memory needs so that every shape has a page for each thing that it shows."""

SCRIPT_FILE: Final = "script.json"

_LOW_MEMORY: Final = 1 << 20
_FEW: Final = 8
"""Pages: 32 KiB are less than any socket's buffer."""
_BETWEEN: Final = 37
"""Pages: no divisor of a packet's."""
_STEP: Final = 8
_STRETCHES: Final = 128
"""The most: 64 MiB, however large the memory is."""

History = Callable[[Draft], Iterator[Mask]]
"""Changes the draft and yields, for each round, the pages that are sent of it as it is then."""


@dataclass(frozen=True)
class Shape:
    """A kind of migration by its history."""

    name: str
    description: str
    history: History


def build(
    directory: Path,
    corpus: Corpus,
    seed: int,
    sizes: Mapping[str, int],
    page_size: PageSize,
    shape: str,
    *,
    hole: int = 0,
) -> Script:
    """Make the images of a migration in ``directory``; return its script, which is saved beside them.

    ``sizes`` are the bytes of each RAM block, multiples of ``page_size`` bytes, as is ``hole``, of which
    nothing is sent (:class:`multifd.memory.draft.Draft`). The same arguments give the same content.

    Raises InputError for an unknown shape or a memory of less than MINIMUM_PAGES pages, EnvironmentBroke when
    the images cannot be written.
    """
    if shape not in SHAPES:
        raise InputError(f"shape: {shape!r} is unknown, expected one of {', '.join(SHAPES)}")
    return play(directory, Draft(corpus, seed, sizes, page_size, hole), SHAPES[shape].history)


def play(directory: Path, draft: Draft, history: History) -> Script:
    """Make the images and the script of any history whose first round sends something; else as ``build``."""
    sendable = int(draft.everything.sum())
    if sendable < MINIMUM_PAGES:
        raise InputError(f"memory: {sendable} pages of {draft.page_size} bytes, expected at least {MINIMUM_PAGES}")
    rounds: list[Round] = []
    for sent in history(draft):
        # A round without pages has nothing new to show: it shares the image before it.
        image = draft.save(directory.absolute() / f"round-{len(rounds)}") if sent.any() else rounds[-1].image
        rounds.append(Round(image=image, pages=draft.page_runs(sent)))
    script = Script(page_size=draft.page_size, rounds=tuple(rounds))
    path = directory / SCRIPT_FILE
    # Half a script would be found again: it has its name when it is whole.
    unnamed = path.with_suffix(".new")
    with blaming(path):
        unnamed.write_text(script.model_dump_json())
        unnamed.rename(path)
    return script


def load(directory: Path) -> Script:
    """Read the script that was saved in ``directory``. Raises InputError when there is none that is valid."""
    path = directory / SCRIPT_FILE
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected a script of dirty rounds")
    with blaming(path):
        text = path.read_text()
    try:
        return Script.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{path}: {error}") from error


def _single(draft: Draft) -> Iterator[Mask]:
    draft.pour(draft.everything)
    yield draft.everything


def _dirty(draft: Draft) -> Iterator[Mask]:
    yield from _changing(draft, draft.everything, max(3, len(draft.pages) // 4))


def _guest(draft: Draft) -> Iterator[Mask]:
    high = _high(draft)
    yield from _changing(draft, high, int(high.sum()) // 4)


def _high(draft: Draft) -> Mask:
    """What may change in a PC: below 1 MiB stores reach its ROMs instead of its RAM."""
    high = draft.everything
    high[: _LOW_MEMORY // draft.page_size] = False
    return high


def _changing(draft: Draft, among: Mask, count: int) -> Iterator[Mask]:
    """Three rounds; from the second on ``count`` of these pages change, become zero and the reverse."""
    dirty = draft.draw(count, among)
    third = int(dirty.sum()) // 3
    vanishing = draft.draw(third, dirty)
    appearing = draft.draw(third, dirty & ~vanishing)
    draft.pour(draft.everything)
    draft.rewrite(vanishing)
    draft.clear(appearing)
    yield draft.everything

    draft.clear(vanishing)
    draft.rewrite(dirty & ~vanishing)
    yield dirty

    few = min(-(-third // 2), (draft.packet_pages - 1) // 2)
    returning = draft.draw(few, vanishing)
    leaving = draft.draw(few, dirty & ~vanishing)
    draft.rewrite(returning)
    draft.clear(leaving)
    yield returning | leaving


def _zero_only(draft: Draft) -> Iterator[Mask]:
    draft.rewrite(draft.everything)
    yield draft.everything
    vanishing = draft.draw(len(draft.pages) // 4, draft.everything)
    draft.clear(vanishing)
    yield vanishing


def _partial(draft: Draft) -> Iterator[Mask]:
    for _ in range(3):
        scattered = draft.scatter()
        draft.rewrite(scattered)
        yield scattered


def _empty(draft: Draft) -> Iterator[Mask]:
    draft.pour(draft.everything)
    yield draft.everything
    yield draft.nothing
    dirty = draft.draw(len(draft.pages) // 4, draft.everything)
    draft.rewrite(dirty)
    yield dirty
    yield draft.nothing


def _stale(draft: Draft) -> Iterator[Mask]:
    draft.rewrite(draft.everything)
    yield draft.everything


def _few(draft: Draft) -> Iterator[Mask]:
    draft.rewrite(draft.draw(_FEW, draft.everything))
    yield draft.everything


def _eights(draft: Draft) -> Iterator[Mask]:
    """Of every eight pages all, then three that change and one that becomes zero: 1, 3, 5, and 6."""
    draft.rewrite(draft.everything)
    yield draft.everything
    place = np.arange(len(draft.pages)) % 8
    changing, vanishing = np.isin(place, (1, 3, 5)), place == 6
    draft.rewrite(changing)
    draft.clear(vanishing)
    yield changing | vanishing


def _one(draft: Draft) -> Iterator[Mask]:
    yield from _poured_then_rewritten(draft, draft.draw(1, _high(draft)))


def _packet_and_one(draft: Draft) -> Iterator[Mask]:
    yield from _poured_then_rewritten(draft, _first(draft.packet_pages + 1, _high(draft)))


def _poured_then_rewritten(draft: Draft, changing: Mask) -> Iterator[Mask]:
    draft.pour(draft.everything)
    yield draft.everything
    draft.rewrite(changing)
    yield changing


def _halves(draft: Draft) -> Iterator[Mask]:
    """Every second page becomes zero, the others change."""
    high = _high(draft)
    draft.pour(draft.everything)
    draft.rewrite(high)
    yield draft.everything
    second = high & (np.arange(len(high)) % 2 == 0)
    draft.clear(second)
    draft.rewrite(high & ~second)
    yield high


def _zero_run(draft: Draft) -> Iterator[Mask]:
    """Two runs of zero pages, the first from the beginning of a packet on, the second from within one.

    Between them some pages change: fewer than fill a packet.
    """
    high = _high(draft)
    draft.rewrite(draft.everything)
    yield draft.everything
    before = _first(int(high.sum()) // 3, high)
    changing = _first(_BETWEEN, high & ~before)
    draft.rewrite(changing)
    draft.clear(high & ~changing)
    yield high


def _first(count: int, among: Mask) -> Mask:
    """The first ``count`` of these pages."""
    return np.asarray(among & (among.cumsum() <= count))


def _spread(draft: Draft) -> Iterator[Mask]:
    """Every eighth stretch has content, or fewer, and the last one; half of that then changes or becomes zero."""
    place = np.arange(len(draft.pages))
    stretch = place // draft.packet_pages
    step = max(_STEP, len(place) // draft.packet_pages // _STRETCHES)
    filled = draft.everything & ((stretch % step == step - 1) | (stretch == stretch[-1]))
    draft.rewrite(filled)
    yield draft.everything
    changing, vanishing = (filled & (place // _BETWEEN % 4 == turn) for turn in (0, 2))
    draft.rewrite(changing)
    draft.clear(vanishing)
    yield changing | vanishing


def _again(draft: Draft) -> Iterator[Mask]:
    """What a PC has below 1 MiB stays zero. What is sent again was in the first two packets with content."""
    place, low = np.arange(len(draft.pages)), min(_LOW_MEMORY // draft.page_size, len(draft.pages) // 4)
    draft.rewrite(place >= low)
    yield draft.everything
    again = (place >= low) & (place < low + 2 * draft.packet_pages)
    vanishing = again & (place % 8 == 6)
    draft.rewrite(again & ~vanishing)
    draft.clear(vanishing)
    yield again


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            Shape("single", "one round with all pages", _single),
            Shape("dirty", "three rounds: pages change, become zero after content and the reverse", _dirty),
            Shape("zero-only", "pages become zero and only these are sent again", _zero_only),
            Shape("partial", "single pages and short runs with gaps: no packet is full", _partial),
            Shape("empty", "rounds without any page, between others and at the end", _empty),
            Shape("stale", "one round in which no page is zero", _stale),
            Shape("guest", "as dirty, for a PC: what changes lies above 1 MiB", _guest),
            Shape("eights", "two rounds, of each eight pages all, then four, of which one becomes zero", _eights),
            Shape("one", "for a PC: two rounds, in the second one page", _one),
            Shape("packet-and-one", "for a PC: in the second round a packet of pages and one more", _packet_and_one),
            Shape("halves", "for a PC: of what changes every second page becomes zero", _halves),
            Shape("zero-run", "for a PC: runs of pages become zero, longer than a packet", _zero_run),
            Shape("spread", "two rounds; stretches all over the memory have content, an eighth or 64 MiB", _spread),
            Shape("again", "for a PC: full packets, and two of them again, in which pages become zero", _again),
            Shape("few", "one round with so few pages that sockets hold them all, the others are zero", _few),
        )
    }
)
