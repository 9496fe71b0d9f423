"""Which vendor library is used, where it is, and how Python must be run to load it.

Folders are searched in this order: those of the caller (a hardware profile), ``LD_LIBRARY_PATH`` and what
``ldconfig -p`` lists (the process's own loader), ``/usr/local/lib*`` (where both projects install themselves), the
distributions' own folders (a container may have no ldconfig), then the fetched trees, that of the last fetch first. The
first library that can be loaded counts; one that cannot reach its device (:mod:`multifd.libraries.fit`) comes behind
one that can, unless the caller named its folder. Where a folder that is searched is the root of a fetched tree, its
library folders stand for it.

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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, Self

from multifd.accelerator import VENDOR
from multifd.device import installed, sysfs
from multifd.device.qat_manager import Manager
from multifd.errors import EnvironmentBroke, InputError
from multifd.libraries import cache, elf, fit, release
from multifd.libraries.fetch import LOADER
from multifd.process.python import python, same_path
from multifd.process.run import run

Origin = Literal["profile", "host", "fetched"]
DRIVER_PACKAGE_NODE: Final = "/dev/usdm_drv"
_LDCONFIG: Final = 10.0
"""Seconds."""


@dataclass(frozen=True)
class Library:
    """One vendor library that was found."""

    name: str
    """The codec's."""
    path: Path
    version: str | None
    """As far as anything tells (:mod:`multifd.libraries.release`)."""
    origin: Origin
    loader: tuple[str, ...]
    """What precedes Python's path: nothing, or a loader and its options."""
    glibc: elf.Version
    """The oldest glibc that will do."""
    problem: str | None = None
    """Why this one cannot be used."""
    warning: str | None = None
    """Why it computes in software whatever the device is, and the remedy."""


@dataclass(frozen=True)
class Host:
    """What the search needs to know about this host."""

    glibc: elf.Version
    """(0, 0) where the C library is another one."""
    loader: Path
    folders: tuple[Path, ...]
    """Where its own loader looks, and where local installations are."""
    facts: sysfs.Host = field(default_factory=sysfs.Host)
    """Its distribution, its sockets, its nodes."""
    qatmgr: str | None = None
    """Release of the qatmgr that runs; None where none is, or it does not say."""

    @property
    def driver_package(self) -> bool:
        """Intel's driver package serves its QAT: the node is that of the memory driver, which Linux does not have."""
        return self.facts.exists(DRIVER_PACKAGE_NODE)

    @classmethod
    def here(cls, facts: sysfs.Host | None = None) -> Self:
        """This host; its devices and services are those of ``facts``, which may be recorded."""
        facts = facts or sysfs.Host()
        reported = re.fullmatch(r"glibc (\d+)\.(\d+).*", os.confstr("CS_GNU_LIBC_VERSION") or "")
        own = [Path(part) for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part]
        local = ("/usr/local/lib", "/usr/local/lib64", "/usr/local/lib/x86_64-linux-gnu")
        system = ("/usr/lib64", "/usr/lib/x86_64-linux-gnu")
        return cls(
            glibc=(int(reported[1]), int(reported[2])) if reported else (0, 0),
            loader=Path("/lib64") / LOADER,
            folders=tuple(dict.fromkeys([*own, *_configured(_ldconfig()), *map(Path, (*local, *system))])),
            facts=facts,
            qatmgr=Manager.of(facts).release,
        )


def libraries(search: Sequence[Path] = (), facts: sysfs.Host | None = None) -> dict[str, Library]:
    """The library to be used for each codec, by the codec's name; those that are not found are absent.

    ``facts`` are of the host whose devices they are to reach, this one unless given.
    """
    return chosen(candidates(search, Host.here(facts)))


def chosen(found: Iterable[Library]) -> dict[str, Library]:
    """Of the libraries that were found the one to be used for each codec, by the codec's name."""
    best: dict[str, Library] = {}
    for library in sorted(found, key=lambda each: each.warning is not None and each.origin != "profile"):
        if library.problem is None:
            best.setdefault(library.name, library)
    return best


def candidates(
    search: Sequence[Path] = (), host: Host | None = None, vendor: Path | None = None
) -> tuple[Library, ...]:
    """Every vendor library that is found, in the order of the search, those that cannot be loaded included.

    ``vendor`` is the folder of fetched trees, the user's cache unless given.
    """
    host = host or Host.here()
    trees = cache.trees(vendor or cache.directory())
    fetched = sorted(trees, key=lambda tree: tree.manifest.fetched, reverse=True)
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

    One of them names this very file to its binding (``QPL_LIBRARY``, ``QATZIP_LIBRARY``), so that no other is taken.
    Raises :class:`InputError` for a library that cannot be loaded.
    """
    if library.problem is not None:
        raise InputError(f"{library.path}: {library.problem}")
    named = {f"{library.name.upper()}_LIBRARY": str(library.path)}
    return python(*arguments, loader=library.loader), {**same_path(), **named}


def _in(place: Path, origin: Origin, host: Host, fetched: Sequence[cache.Tree]) -> Iterator[Library]:
    tree = cache.read(place)
    for folder in tree.library_path if tree is not None else (place,):
        for name, wanted in VENDOR.items():
            path = folder / wanted.soname
            if not path.is_file():
                continue
            version = (tree.version(wanted.package) if tree is not None else None) or release.of_file(name, path)
            library = Library(name, path, version, origin, (), (0, 0))
            try:
                yield _fitted(library, host, fetched, of_tree=tree is not None)
            except InputError as damage:
                yield replace(library, problem=str(damage))


def _fitted(library: Library, host: Host, fetched: Sequence[cache.Tree], *, of_tree: bool) -> Library:
    """With its loader, or why it cannot be used; raises :class:`InputError` for a file that is damaged."""
    codec, needed = VENDOR[library.name], elf.read(library.path).libraries
    library = replace(library, glibc=elf.glibc_of(library.path))
    loader = _loader(library.path.parent, library.glibc, host, fetched)
    if loader is None:
        return replace(library, problem=_too_old(library.glibc, host))
    library = replace(library, loader=loader)
    foreign, unreachable = fit.stack(needed, driver_package=host.driver_package, fetched=of_tree)
    there = opened(library)
    warnings = [
        unreachable or fit.manager(libqat(library), host.qatmgr),
        *(fit.unopened(each, host.facts, fetched=of_tree) for each in codec.opens if there[each.soname] is None),
    ]
    return replace(
        library,
        problem=fit.problem(codec, library.version) or foreign,
        warning="; ".join(filter(None, warnings)) or None,
    )


def libqat(library: Library) -> str | None:
    """Release of the qatlib that a libqatzip is linked to, ``26.08.0``; None where there is none or it does not say."""
    path = release.libqat(library.path, _told(library))
    return release.of_libqat(path) if path is not None else None


def _told(library: Library) -> tuple[Path, ...]:
    """Those that its loader is told; without a loader of its own there are none, not even the library's."""
    return tuple(map(Path, library.loader[-1].split(":"))) if library.loader else ()


def opened(library: Library) -> dict[str, Path | None]:
    """Where its loader finds what it opens itself: in the folders that it is told, or where the host's own looks."""
    return {each.soname: _located(library, each.soname) for each in VENDOR[library.name].opens}


def _located(library: Library, soname: str) -> Path | None:
    told = (folder / soname for folder in _told(library))
    return next(filter(Path.is_file, told), None) or installed.located(soname)


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
