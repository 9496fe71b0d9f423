"""Which vendor library is used, where it is, and how Python must be run to load it.

Folders are searched in this order: those of the caller (a hardware profile), ``LD_LIBRARY_PATH`` and what
``ldconfig -p`` lists (the process's own loader), ``/usr/local/lib*`` (where both projects install themselves),
then the fetched trees. The first library that can be loaded counts. Where a folder that is searched is the root
of a fetched tree, its library folders stand for it.

How Python must be run follows from the folder and from the glibc that the library and its neighbours need:

======================================  ===========================================================
a loader beside it, not the host's      under that loader: its neighbours are made for that glibc
the host's glibc is new enough          plainly
a fetched tree's glibc is new enough    under that tree's loader, its own folder first
otherwise                               not at all: :attr:`Library.problem`
======================================  ===========================================================

The interpreter and its packages stay the same in every case: the loader is given the path of this environment's
Python, beside which ``pyvenv.cfg`` is found as usual, and ``PYTHONPATH`` carries what was added to ``sys.path``
(:mod:`multifd.process.python`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from multifd.accelerator import VENDOR
from multifd.errors import EnvironmentBroke, InputError
from multifd.libraries import cache, elf
from multifd.libraries.fetch import LOADER
from multifd.process.python import python, same_path
from multifd.process.run import run

Origin = Literal["profile", "host", "fetched"]
_LDCONFIG: Final = 10.0
"""Seconds."""


@dataclass(frozen=True)
class Library:
    """One vendor library that was found."""

    name: str
    """The codec's."""
    path: Path
    version: str | None
    """Of the package, or of the pkg-config file; ``None`` where neither is there (some tell :mod:`.probe`)."""
    origin: Origin
    loader: tuple[str, ...]
    """What precedes Python's path: nothing, or a loader and its options."""
    glibc: elf.Version
    """The oldest glibc that will do."""
    problem: str | None = None
    """Why this one cannot be loaded."""


@dataclass(frozen=True)
class Host:
    """What the search needs to know about this host."""

    glibc: elf.Version
    """(0, 0) where the C library is another one."""
    loader: Path
    folders: tuple[Path, ...]
    """Where its own loader looks, and where local installations are."""

    @classmethod
    def here(cls) -> Self:
        """This host."""
        reported = re.fullmatch(r"glibc (\d+)\.(\d+).*", os.confstr("CS_GNU_LIBC_VERSION") or "")
        own = [Path(part) for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part]
        local = ("/usr/local/lib", "/usr/local/lib64", "/usr/local/lib/x86_64-linux-gnu")
        return cls(
            glibc=(int(reported[1]), int(reported[2])) if reported else (0, 0),
            loader=Path("/lib64") / LOADER,
            folders=tuple(dict.fromkeys([*own, *_configured(_ldconfig()), *map(Path, local)])),
        )


def libraries(search: Sequence[Path] = ()) -> dict[str, Library]:
    """The library to be used for each codec, by the codec's name; those that are not found are absent."""
    found: dict[str, Library] = {}
    for library in candidates(search):
        if library.problem is None:
            found.setdefault(library.name, library)
    return found


def candidates(
    search: Sequence[Path] = (), host: Host | None = None, vendor: Path | None = None
) -> tuple[Library, ...]:
    """Every vendor library that is found, in the order of the search, those that cannot be loaded included.

    ``vendor`` is the folder of fetched trees, the user's cache unless given.
    """
    host = host or Host.here()
    fetched = cache.trees(vendor or cache.directory())
    places: list[tuple[Path, Origin]] = [(folder, "profile") for folder in search]
    places += [(folder, "host") for folder in host.folders]
    places += [(tree.root, "fetched") for tree in fetched]
    seen: dict[Path, Library] = {}
    for place, origin in places:
        for library in _in(place, origin, host, fetched):
            seen.setdefault(library.path.resolve(), library)
    return tuple(seen.values())


def python_command(library: Library, arguments: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Command of this Python with ``arguments``, in which ``library`` can be loaded, and variables besides our own.

    Raises :class:`InputError` for a library that cannot be loaded.
    """
    if library.problem is not None:
        raise InputError(f"{library.path}: {library.problem}")
    return python(*arguments, loader=library.loader), same_path()


def _in(place: Path, origin: Origin, host: Host, fetched: Sequence[cache.Tree]) -> Iterator[Library]:
    tree = cache.read(place)
    for folder in tree.library_path if tree is not None else (place,):
        for name, wanted in VENDOR.items():
            path = folder / wanted.soname
            if not path.is_file():
                continue
            version = tree.version(wanted.package) if tree is not None else _version(name, path)
            try:
                glibc = elf.glibc_of(path)
            except InputError as damage:
                yield Library(name, path, version, origin, (), (0, 0), str(damage))
                continue
            loader = _loader(path.parent, glibc, host, fetched)
            problem = None if loader is not None else _too_old(glibc, host)
            yield Library(name, path, version, origin, loader or (), glibc, problem)


def _loader(folder: Path, glibc: elf.Version, host: Host, fetched: Sequence[cache.Tree]) -> tuple[str, ...] | None:
    own = folder / LOADER
    if own.is_file() and own.resolve() != host.loader.resolve():
        return str(own), "--library-path", str(folder)
    if glibc <= host.glibc:
        return ()
    for tree in fetched:
        provided = re.match(r"(\d+)\.(\d+)", tree.version("libc6") or "")
        if provided and glibc <= (int(provided[1]), int(provided[2])):
            return str(tree.loader), "--library-path", ":".join(map(str, (folder, *tree.library_path)))
    return None


def _too_old(glibc: elf.Version, host: Host) -> str:
    needed, present = ("{}.{}".format(*version) for version in (glibc, host.glibc))
    return f"needs glibc {needed}, the host has {present}: fetch a newer one with 'multifd vendor fetch'"


def _version(name: str, path: Path) -> str | None:
    """From the pkg-config file that both projects install beside the library."""
    try:
        description = (path.parent / f"pkgconfig/{name}.pc").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    match = re.search(r"^Version:\s*(\S+)", description, re.MULTILINE)
    return match[1] if match else None


def _configured(listing: str) -> Iterator[Path]:
    """Folders of vendor libraries in what ``ldconfig -p`` prints."""
    for wanted in VENDOR.values():
        for match in re.finditer(rf"^\s*{re.escape(wanted.soname)} \(.*x86-64.*\) => (\S+)$", listing, re.MULTILINE):
            yield Path(match[1]).parent


def _ldconfig() -> str:
    try:
        return run(("/sbin/ldconfig", "-p"), {}, _LDCONFIG).output.decode(errors="replace")
    except EnvironmentBroke:
        # Without it /usr/local/lib and the fetched trees remain.
        return ""
