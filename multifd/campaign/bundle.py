"""A bundle: one archive with everything about one cell, to be looked at and played again on another machine.

====================  ==========================================================================================
file                  what it is
====================  ==========================================================================================
``bundle.json``       what this is: format, id of the cell, whether there is a capture
``cell.json``         the record of the cell
``prediction.txt``    what was predicted, and the chain of reasons; of a run elsewhere only if the host plans it too
``run.json``          host, versions, the command: of the run that recorded it
``peers.json``        both ends as they introduced themselves
``profile.json``      the profile, with all that it extends, where there is a chain of reasons
``exhibits/``         words of QEMUs, map of wrong pages
``capture/``          what was sent (docs/capture.md)
====================  ==========================================================================================
"""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from multifd.errors import InputError
from multifd.memory.host import blaming
from multifd.migrate.capture import MANIFEST, problems

FORMAT: Final = "multifd-bundle/1"
SUFFIX: Final = ".tar.gz"
_EXPECTED: Final = "expected what multifd bundle writes, or the directory of a capture"
INDEX: Final = "bundle.json"
CAPTURE: Final = "capture"
_PART: Final = re.compile(rf"{CAPTURE}/(manifest\.json|main\.bin|channel-\d{{1,3}}\.bin)")
_MOST: Final = 16 << 30
"""Bytes that an archive may hold."""
_MOST_INDEX: Final = 1 << 20
_BROKEN: Final = (tarfile.TarError, EOFError, zlib.error, OSError)


class Index(BaseModel):
    """What a bundle says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["multifd-bundle/1"] = FORMAT
    cell: str
    """Its id."""
    capture: bool
    """There is one."""
    why: str | None = None
    """Why there is none."""
    reproduce: str
    """The command that runs the cell."""


def pack(path: Path, index: Index, texts: Mapping[str, str], exhibits: Path | None, capture: Path | None) -> None:
    """Write a bundle; ``texts`` are further files by name. Raises EnvironmentBroke where it cannot be written."""
    with blaming(path), tarfile.open(path, "w:gz", compresslevel=6) as archive:
        for name, text in {INDEX: index.model_dump_json(indent=1), **texts}.items():
            _add(archive, name, text.encode())
        for directory, inside in ((exhibits, "exhibits"), (capture, CAPTURE)):
            for file in sorted(directory.iterdir()) if directory is not None and directory.is_dir() else ():
                archive.add(file, f"{inside}/{file.name}", filter=_anonymous)


def unpack(path: Path, directory: Path) -> Path:
    """The capture of a bundle, unpacked below ``directory``.

    Raises InputError for what is no bundle, and for one without a capture; EnvironmentBroke where there is no room.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            index = _index(path, archive)
            if not index.capture:
                raise InputError(f"{path}: has no capture: {index.why}; run the cell: {index.reproduce}")
            (directory / CAPTURE).mkdir(parents=True)
            _unpack(path, archive, directory)
    except _BROKEN as problem:
        raise InputError(f"{path}: cannot be read as a bundle (gzip, tar): {problem}; {_EXPECTED}") from None
    if not (directory / CAPTURE / MANIFEST).exists():
        raise InputError(f"{path}: has no {CAPTURE}/{MANIFEST}, expected one, for {INDEX} announces a capture")
    return directory / CAPTURE


def _index(path: Path, archive: tarfile.TarFile) -> Index:
    first = archive.next()
    data = archive.extractfile(first) if first is not None and first.name == INDEX and first.isreg() else None
    if first is None or data is None or first.size > _MOST_INDEX:
        raise InputError(f"{path}: begins with {first.name if first is not None else 'nothing'!r}, expected {INDEX}")
    try:
        return Index.model_validate_json(data.read())
    except ValidationError as problem:
        raise InputError(f"{path}: {INDEX}: {problems(problem)}") from None


def _unpack(path: Path, archive: tarfile.TarFile, directory: Path) -> None:
    left = _MOST
    for member in _members(archive):
        left -= member.size
        if left < 0:
            raise InputError(f"{path}: holds more than {_MOST} bytes, expected at most so many")
        if not _PART.fullmatch(member.name) or not member.isreg():
            continue
        data = archive.extractfile(member)
        assert data is not None
        with blaming(directory), (directory / member.name).open("wb") as file:
            while chunk := data.read(1 << 20):
                file.write(chunk)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        yield member


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without its owner and its time; only files."""
    if not member.isreg():
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
