"""Shared libraries of this host as its loader finds them, and the release that they are of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from multifd.device import qat_release
from multifd.errors import EnvironmentBroke
from multifd.process.run import run

UNKNOWN: Final = "unknown"
_SECONDS: Final = 10.0
_UPSTREAM: Final = re.compile(r"(?:\d+:)?([^-\s]+)")
"""In a package's version: what is between its epoch and its revision."""


def version(soname: str) -> str | None:
    """Release of the library's package, else of the pkg-config file beside it, else :data:`UNKNOWN`; None if absent.

    A library that was built by hand has no package. qatmgr, which is none, tells its release itself.
    """
    if soname == qat_release.NAME:
        return qat_release.ask_release()
    path = located(soname)
    if path is None:
        return None
    return _packaged(path) or _described(path) or UNKNOWN


def located(soname: str) -> Path | None:
    """Where dlopen(3) finds it: in ``LD_LIBRARY_PATH``, then in the loader's cache."""
    own = (Path(folder) / soname for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder)
    return next((path.resolve() for path in (*own, *_cached(soname)) if path.is_file()), None)


def _cached(soname: str) -> Iterator[Path]:
    for found in re.finditer(
        rf"^\s*{re.escape(soname)} \(.*x86-64.*\) => (\S+)$", _printed("/sbin/ldconfig", "-p"), re.M
    ):
        yield Path(found[1])


def _packaged(path: Path) -> str | None:
    """By dpkg, which may know the file below another name of its folder, or by rpm."""
    lines = (line.partition(": ") for line in _printed("dpkg-query", "--search", f"*/{path.name}").splitlines())
    package = next((package for package, _, file in lines if Path(file).resolve() == path), None)
    said = (
        _printed("dpkg-query", "--show", "--showformat=${Version}", package)
        if package
        else _printed("rpm", "--query", "--file", "--queryformat=%{VERSION}", str(path))
    )
    found = _UPSTREAM.match(said)
    return found[1] if found else None


def _described(path: Path) -> str | None:
    """By the pkg-config file that links it."""
    name = path.name.partition(".so")[0].removeprefix("lib")
    for file in sorted(path.parent.glob("pkgconfig/*.pc")):
        text = file.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^Version:\s*(\S+)", text, re.MULTILINE)
        if found and re.search(rf"^Libs:.*-l{re.escape(name)}(?!\S)", text, re.MULTILINE):
            return found[1]
    return None


def _printed(*command: str) -> str:
    """What a program prints that ends well; nothing where there is no such program."""
    try:
        ended = run(command, {}, _SECONDS)
    except EnvironmentBroke:
        return ""
    return "" if ended.status else ended.output.decode(errors="replace")
