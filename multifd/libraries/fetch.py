"""From a wish to a tree: resolve, download, verify, unpack, record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from multifd.errors import InputError
from multifd.libraries import cache, sources
from multifd.libraries.apt import Apt, Deb, Runner, run
from multifd.libraries.cache import Manifest, Package, Tree
from multifd.libraries.wish import NOT_NEEDED, Wish
from multifd.result.counted import counted

LOADER: Final = "ld-linux-x86-64.so.2"
_FOLDERS: Final = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
"""Where libraries are since and before ``/lib`` became a link to ``/usr/lib`` (Debian UsrMerge)."""


def fetch(
    wish: Wish,
    into: Path | None = None,
    *,
    refresh: bool = False,
    progress: Callable[[str], object] = str,
    system: Path = Path("/"),
    runner: Runner = run,
) -> Tree:
    """Fetch a wish into a vendor folder (the user's cache unless given), and say what happens in ``progress``.

    What the suite lacks is said, and the rest is fetched. A tree that already has the versions that the mirror has is
    left alone, unless ``refresh``. ``system`` is the root below which ``etc/apt`` and ``etc/os-release`` are read.
    Raises :class:`EnvironmentBroke` (not Debian or Ubuntu, architecture, network, disk, signature) or
    :class:`InputError` (a suite that is none, or has nothing of it), with the next step.
    """
    sources.check_machine()
    stanzas = sources.pointed_at(wish.suites, system)
    base = (into or cache.directory()).absolute()
    with cache.locked(base):
        target = wish.suites[-1] if len(wish.suites) > 1 else None
        apt = Apt(base / "apt" / wish.suites[-1], stanzas, target=target, runner=runner)
        progress(f"{wish.name}: reading the lists of {' and '.join(wish.suites)}")
        apt.update()
        debs = tuple(deb for deb in apt.closure(_there(wish, apt, progress)) if not NOT_NEEDED.fullmatch(deb.name))
        root = base / wish.name
        present = cache.read(root)
        if present is not None and present.manifest.files is not None and _debs(present) == debs and not refresh:
            progress(f"{wish.name}: up to date in {root}")
            return present
        with cache.replacing(root) as new:
            _build(wish, apt, debs, new, progress)
        tree = cache.read(root)
    assert tree is not None
    progress(f"{wish.name}: {counted(len(debs), 'package')} in {root}")
    return tree


def _there(wish: Wish, apt: Apt, progress: Callable[[str], object]) -> Sequence[str]:
    """The packages that the suites have; those that they have not are said."""
    suites, known = " and ".join(wish.suites), apt.known(wish.packages)
    if not known:
        raise InputError(
            f"suite is {suites!r}: it has none of {', '.join(wish.packages)}; choose a newer one with --suite"
        )
    for package in wish.packages:
        if package not in known:
            progress(f"{wish.name}: {suites} has no {package}, the rest is fetched")
    return known


def _debs(tree: Tree) -> tuple[Deb, ...]:
    return tuple(Deb(one.name, one.version, one.architecture) for one in tree.manifest.packages)


def _build(wish: Wish, apt: Apt, debs: Sequence[Deb], root: Path, progress: Callable[[str], object]) -> None:
    archives = root.parent / "archives"
    archives.mkdir()
    progress(f"{wish.name}: downloading {counted(len(debs), 'package')}")
    files = apt.download(debs, archives)
    packages = []
    for deb in debs:
        file = files[deb.name]
        packages.append(Package(**vars(deb), sha256=hashlib.sha256(file.read_bytes()).hexdigest()))
        apt.unpack(file, root)
    folders = tuple(folder for folder in _FOLDERS if (root / folder).is_dir())
    loader = next((f"{folder}/{LOADER}" for folder in folders if (root / folder / LOADER).is_file()), None)
    if loader is None:
        raise InputError(f"suite is {wish.suites[-1]!r}: none of its packages brings {LOADER}; choose another one")
    search = ":".join(f"{{root}}/{folder}" for folder in folders)
    cache.save(
        Manifest(
            suites=wish.suites,
            fetched=datetime.now(UTC),
            packages=tuple(packages),
            loader=loader,
            library_path=folders,
            command=(f"{{root}}/{loader}", "--library-path", search, *wish.program),
            files=cache.digests(root),
        ),
        root,
    )
