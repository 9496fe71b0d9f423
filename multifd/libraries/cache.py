"""Fetched trees in the user's cache.

::

    ~/.cache/multifd/vendor/        or $XDG_CACHE_HOME (XDG Base Directory Specification)
        apt/<suite>/                the private apt's lists
        libraries-<suite>/          a tree: usr/lib/…, manifest.json
        qemu-<suite>/

A tree with a readable manifest is complete: it is built under another name and renamed. A new one takes the
place of an old one by two renames; processes that run from the old one keep their open files. Nothing of a tree is
loaded or run before its files are what the manifest says: one that is damaged, or has a library more, is none.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from multifd.errors import EnvironmentBroke

MANIFEST: Final = "manifest.json"
_PARTIAL: Final = ".partial-"
_DATA: Final = Path("usr/share")
"""Nothing below it is loaded or run."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Package(_Model):
    """One unpacked package."""

    name: str
    version: str
    architecture: str
    sha256: str
    """Of the ``.deb`` file, in hexadecimal."""


class Manifest(_Model):
    """What a tree consists of; paths are relative to its root."""

    format: Literal["multifd-vendor/1"] = "multifd-vendor/1"
    suites: tuple[str, ...]
    fetched: datetime
    packages: tuple[Package, ...]
    loader: str
    """The dynamic loader, such as ``usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2``."""
    library_path: tuple[str, ...]
    """Where that loader finds the tree's libraries."""
    command: tuple[str, ...]
    """What runs the tree's program, or what precedes Python's own path; ``{root}`` is the tree's root."""
    files: dict[str, str] | None = None
    """What :func:`digests` says of the tree. None for one that was fetched before there were any, which is believed
    until it is fetched again."""


@dataclass(frozen=True)
class Tree:
    """A complete tree on disk."""

    root: Path
    manifest: Manifest

    @property
    def loader(self) -> Path:
        """The tree's dynamic loader."""
        return self.root / self.manifest.loader

    @property
    def library_path(self) -> tuple[Path, ...]:
        """Folders of the tree's libraries."""
        return tuple(self.root / part for part in self.manifest.library_path)

    @property
    def command(self) -> tuple[str, ...]:
        """The manifest's command with the root filled in."""
        return tuple(part.replace("{root}", str(self.root)) for part in self.manifest.command)

    def version(self, package: str) -> str | None:
        """The version of one package; ``None`` if the tree does not have it."""
        return next((one.version for one in self.manifest.packages if one.name == package), None)


def directory() -> Path:
    """The vendor folder in the user's cache; it need not exist."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # A relative one is to be ignored, says the specification.
    if given.startswith("/"):
        return Path(given) / "multifd/vendor"
    try:
        return Path.home() / ".cache/multifd/vendor"
    except RuntimeError:  # no HOME, and a user who is nobody: nothing was ever fetched, and nothing can be
        return Path("/.cache/multifd/vendor")


def read(root: Path) -> Tree | None:
    """The tree there; ``None`` unless it is complete, and its files are those that were fetched."""
    try:
        manifest = Manifest.model_validate_json((root / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    tree = Tree(root.absolute(), manifest)
    try:
        whole = manifest.files is None or manifest.files == digests(root)
    except OSError:
        return None
    return tree if whole and tree.loader.is_file() else None


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file of a tree that may be loaded or run, by path from its root; of a link, where it leads.

    Raises OSError.
    """
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(root):
        inside = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if inside / name != _DATA]
        links = [name for name in folders if (root / inside / name).is_symlink()]
        for name in sorted((*names, *links)):
            path = root / inside / name
            if path.is_symlink():
                found[str(inside / name)] = f"-> {path.readlink()}"
            elif path.is_file() and path != root / MANIFEST:
                with path.open("rb") as file:
                    found[str(inside / name)] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def trees(base: Path) -> tuple[Tree, ...]:
    """All complete trees of a vendor folder, in order of name."""
    found = (read(root) for root in sorted(base.glob("*")) if not root.name.startswith("."))
    return tuple(tree for tree in found if tree is not None)


@contextmanager
def locked(base: Path) -> Iterator[None]:
    """Hold a vendor folder against other processes; what a killed one left half done is removed.

    Raises :class:`EnvironmentBroke` if the folder cannot be written to.
    """
    try:
        base.mkdir(parents=True, exist_ok=True)
        with (base / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in base.glob(f"{_PARTIAL}*"):
                shutil.rmtree(left)
            yield
    except OSError as problem:
        raise EnvironmentBroke(
            f"{problem.filename or base}: {problem.strerror}: free space or permissions in {base},"
            " or fetch elsewhere with --into DIR"
        ) from None


@contextmanager
def replacing(root: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``root`` when the block ends, and vanishes if it raises."""
    work = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=root.parent))
    try:
        (work / "new").mkdir()
        yield work / "new"
        if root.exists():
            root.rename(work / "old")
        (work / "new").rename(root)
    finally:
        shutil.rmtree(work)


def save(manifest: Manifest, root: Path) -> None:
    """Write a tree's manifest."""
    (root / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
