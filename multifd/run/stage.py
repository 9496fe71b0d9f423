"""The scratch space of a run: guest memory images, captures, destinations. Shared by all workers.

Images are made once for the whole run, under a lock; captures belong to the worker that runs their group and go
when it has moved on; a destination lives as long as its pairing.
"""

from __future__ import annotations

import fcntl
import itertools
import shutil
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from multifd.errors import HarnessError
from multifd.memory import rounds
from multifd.memory.blocks import division, packet_pages
from multifd.memory.corpora.user import Files, find
from multifd.memory.corpus import CORPORA, Corpus, user_corpus
from multifd.memory.host import blaming
from multifd.memory.image import GuestMemory
from multifd.memory.layout import MemoryLayout, PageRun, Script
from multifd.memory.mutator import mutating
from multifd.plan.work import Pairing
from multifd.qemu.transcript import SUFFIX
from multifd.wire.packet import slots

_KEPT_CAPTURES: Final = 4


class Stage:
    """Scratch space as one worker sees it."""

    def __init__(self, scratch: Path, worker: str, seed: int, corpus: Path | None) -> None:
        self.seed = seed
        self._scripts = scratch / "scripts"
        self._own = scratch / worker
        self._words = self._own / "words"
        self._directory = corpus
        self._captures: OrderedDict[str, Path] = OrderedDict()
        self._numbers = itertools.count()
        self._loaded: dict[str, Script] = {}
        self._digests: dict[tuple[str, ...], dict[str, str]] = {}
        self._mutating: dict[str, tuple[Script, tuple[PageRun, ...]]] = {}
        for directory in (self._scripts, self._own, self._words):
            directory.mkdir(parents=True, exist_ok=True)

    def script(self, pairing: Pairing) -> Script:
        """The migration of a cell; its images are made if nobody has made them yet."""
        key = pairing.script_key(self.seed)
        if key not in self._loaded:
            directory = self._scripts / key
            with _locked(self._scripts / f"{key}.lock"):
                if (directory / rounds.SCRIPT_FILE).exists():
                    self._loaded[key] = rounds.load(directory)
                else:
                    self._loaded[key] = self._make(pairing, directory)
        return self._loaded[key].model_copy(update={"fill": packet_pages(pairing.fill, slots(pairing.page_size))})

    def digest(self, script: Script) -> dict[str, str]:
        """The SHA-256 of each block when a migration is over, if it went well."""
        image = script.expected
        key = tuple(block.path for block in image.blocks)
        if key not in self._digests:
            with GuestMemory.open(image, writable=False) as memory:
                self._digests[key] = memory.digest()
        return self._digests[key]

    @contextmanager
    def mutable(self, pairing: Pairing) -> Iterator[tuple[Script, tuple[PageRun, ...]]]:
        """A migration whose first image is this cell's own, and the pages of it that may change while it is sent."""
        key = pairing.script_key(self.seed)
        if key not in self._mutating:
            self._mutating[key] = mutating(
                self.path("mutating"),
                self._content(pairing),
                self.seed,
                pairing.sizes,
                pairing.page_size,  # type: ignore[arg-type]
            )
        script, runs = self._mutating[key]
        first, *others = script.rounds
        with self.workplace() as directory:
            image = _copied(first.image, directory)
            own = first.model_copy(update={"image": image})
            yield script.model_copy(update={"rounds": (own, *others)}), runs

    def capture(self, pairing: Pairing) -> Path:
        """Where this cell's capture is or will be; older ones go."""
        key = pairing.capture_key(self.seed)
        if key in self._captures:
            self._captures.move_to_end(key)
            return self._captures[key]
        while len(self._captures) >= _KEPT_CAPTURES:
            shutil.rmtree(self._captures.popitem(last=False)[1], ignore_errors=True)
        self._captures[key] = self._own / f"capture-{key}"
        return self._captures[key]

    @contextmanager
    def destination(self, pairing: Pairing) -> Iterator[GuestMemory]:
        """Zero memory for a receiver."""
        directory = self.path("destination")
        with GuestMemory.create(directory, pairing.sizes, pairing.page_size) as memory:  # type: ignore[arg-type]
            try:
                yield memory
            finally:
                shutil.rmtree(directory, ignore_errors=True)

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A directory of its own for a pairing, gone afterwards; the words of its QEMUs stay (:meth:`words`)."""
        directory = self.path("cell")
        directory.mkdir()
        try:
            yield directory
        finally:
            for path in directory.glob(f"*{SUFFIX}"):
                path.replace(self._words / path.name)
            shutil.rmtree(directory, ignore_errors=True)

    def words(self) -> tuple[Path, ...]:
        """What QEMUs of this cell said (:mod:`multifd.qemu.transcript`), until :meth:`forget`."""
        return tuple(sorted(self._words.iterdir()))

    def forget(self) -> None:
        """The next cell begins."""
        for path in self._words.iterdir():
            path.unlink()

    def path(self, name: str) -> Path:
        """A path that nobody else uses."""
        return self._own / f"{name}-{next(self._numbers)}"

    def _make(self, pairing: Pairing, directory: Path) -> Script:
        return rounds.build(
            directory,
            self._content(pairing),
            self.seed,
            pairing.sizes,
            pairing.page_size,  # type: ignore[arg-type]
            pairing.plan.shape,
            hole=division(pairing.blocks).hole,
        )

    def _content(self, pairing: Pairing) -> Corpus:
        corpus = user_corpus(self._found) if pairing.corpus == "user" else CORPORA[pairing.corpus]
        return corpus.of_pages(pairing.page_size)

    @cached_property
    def _found(self) -> Files:
        """The user's files. Looked for once: there may be many of them."""
        if self._directory is None:
            raise HarnessError("corpus user: planned without --corpus")
        return find(self._directory)


def _copied(image: MemoryLayout, directory: Path) -> MemoryLayout:
    """The same memory in files of its own; raises EnvironmentBroke where they cannot be written."""
    with blaming(directory):
        paths = {block.name: str(shutil.copy(block.path, directory)) for block in image.blocks}
    blocks = tuple(block.model_copy(update={"path": paths[block.name]}) for block in image.blocks)
    return image.model_copy(update={"blocks": blocks})


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
