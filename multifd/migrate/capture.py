"""Captures: a recorded migration in a directory, contract ``multifd-capture/1``.

``manifest.json``, ``main.bin`` (optional) and ``channel-<n>.bin``, raw bytes with the init packet included.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from multifd.errors import EnvironmentBroke, InputError, WireError
from multifd.foreign import whole
from multifd.framing.model import Framing, framing
from multifd.json import parse
from multifd.memory.layout import MOST_BLOCKS, BlockName, BlockSize
from multifd.migrate.stream import FileSource
from multifd.result.printable import LONGEST, clipped
from multifd.wire.dialect import Dialect, MainSync, dialect
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import EndOfSection, Flush

FORMAT: Literal["multifd-capture/1"] = "multifd-capture/1"
MANIFEST = "manifest.json"
MOST_MANIFEST: Final = 1 << 20
"""Bytes: :data:`MOST_BLOCKS` RAM blocks with their digests need 200 KiB."""
_CHUNK: Final = 1 << 12
"""Bytes of the main channel that are read at once."""


class Manifest(BaseModel):
    """What a capture holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=LONGEST)

    format: Literal["multifd-capture/1"] = FORMAT
    page_size: Literal[4096, 16384, 65536]
    method: str | None = None
    framing: str | None = None
    dialect: str
    channels: Annotated[int, Field(ge=1, le=255)]
    main_sync: Literal["eos", "flush"] | None = None
    """How the main channel marks a SYNC; None means as it is seen to do."""
    ramblocks: Annotated[dict[BlockName, BlockSize], Field(min_length=1, max_length=MOST_BLOCKS)]
    """Size in bytes of every RAM block, whole pages."""
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]]
    """Digest of the memory afterwards, by RAM block; a block that is missing is not compared."""
    source: str | None = None
    """Who sent it, for people."""
    packets: int | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.method is None) == (self.framing is None):
            raise ValueError("exactly one of method and framing is expected")
        for name, size in self.ramblocks.items():
            if size % self.page_size:
                raise ValueError(f"ramblocks.{name} is {size}, expected a multiple of the page size {self.page_size}")
        for name in self.sha256:
            if name not in self.ramblocks:
                raise ValueError(f"sha256 has RAM block {name!r}, expected one of {', '.join(self.ramblocks)}")
        return self


def problems(error: ValidationError) -> str:
    """A pydantic error as one line per field: path, what is wrong, what was given."""
    lines = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"]) or "(whole)"
        given = "" if item["type"] == "missing" else f" (given: {json.dumps(item['input'], default=str)[:80]})"
        lines.append(f"{path}: {item['msg']}{given}")
    return clipped("; ".join(lines))


class Capture:
    """A capture on disk."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest
        self.framing: Framing = framing(manifest.framing or manifest.method or "")
        self.dialect: Dialect = dialect(manifest.dialect)

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Read a capture's manifest; raises :class:`InputError` naming the file, the field and what was expected."""
        path = directory / MANIFEST
        try:
            text = whole(path, MOST_MANIFEST)
            parse(text)
            manifest = Manifest.model_validate_json(text)
        except OSError as problem:
            raise InputError(f"{path}: cannot read: {problem.strerror}; expected a capture directory") from None
        except ValidationError as problem:
            raise InputError(f"{path}: {problems(problem)}") from None
        except InputError as problem:
            raise InputError(f"{path}: {problem}") from None
        capture = cls(directory, manifest)
        missing = [p.name for p in capture.channel_paths() if not p.is_file()]
        if missing:
            raise InputError(f"{directory}: channels is {manifest.channels}, but there is no {', '.join(missing)}")
        more = sorted({p.name for p in directory.glob("channel-*.bin")} - {p.name for p in capture.channel_paths()})
        if more:
            last = capture.channel_path(manifest.channels - 1).name
            raise InputError(
                f"{path}: channels is {manifest.channels}, but there is {', '.join(more)}; expected none after {last}"
            )
        return capture

    def channel_path(self, channel: int) -> Path:
        """The file of one channel."""
        return self.directory / f"channel-{channel}.bin"

    def channel_paths(self) -> list[Path]:
        """The files of all channels."""
        return [self.channel_path(n) for n in range(self.manifest.channels)]

    @property
    def main_path(self) -> Path | None:
        """The main channel's file, None if the capture has none; it may be one that cannot be read."""
        path = self.directory / "main.bin"
        return path if os.path.lexists(path) else None

    @property
    def main_sync(self) -> MainSync:
        """How the main channel marks a SYNC, which follows the machine type and not the version: as it is seen there.

        As the manifest or else the dialect has it where nothing is seen. Raises :class:`InputError` where manifest and
        main channel contradict each other.
        """
        seen = self.main_path and _seen_sync(self.main_path, self.manifest.page_size)
        told = self.manifest.main_sync and MainSync(self.manifest.main_sync)
        if seen and told and seen is not told:
            raise InputError(
                f"{self.directory / MANIFEST}: main_sync is {told.value}, expected {seen.value}: the first section of"
                f" main.bin {'has the word 0x200' if seen is MainSync.FLUSH else 'ends without the word 0x200'}"
            )
        return seen or told or self.dialect.main_sync


def _seen_sync(main: Path, page_size: int) -> MainSync | None:
    """Whether the first RAM section flushes before it ends (``ram_save_setup``, migration/ram.c, QEMU 8.1 to 11.1).

    None for a main channel that cannot be read so far, which is left to whoever reads all of it.
    """
    source, reader = FileSource(main), MainReader(page_size)
    with suppress(WireError):
        while source.left:
            for event in reader.feed(source.read(_CHUNK)):
                match event:
                    case Flush():
                        return MainSync.FLUSH
                    case EndOfSection():
                        return MainSync.EOS
    return None


def save_manifest(directory: Path, fields: Mapping[str, Any]) -> Manifest:
    """Write the manifest, last of all files, so that a capture with one is whole.

    Raises :class:`InputError` for what a capture cannot have, EnvironmentBroke where it cannot be written.
    """
    path = directory / MANIFEST
    try:
        manifest = Manifest.model_validate(fields)
    except ValidationError as problem:
        raise InputError(f"{path}: {problems(problem)}") from None
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(manifest.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as problem:
        raise EnvironmentBroke(f"{path}: cannot write: {problem.strerror}") from None
    return manifest
