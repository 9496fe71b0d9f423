"""``multifd vendor``: vendor libraries, fetched without root, and found."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from multifd.accelerator import LIBRARIES, VENDOR, VendorCodec
from multifd.cli.grouped import Plain
from multifd.cli.output import Console, say
from multifd.errors import InputError
from multifd.libraries import cache, wish
from multifd.libraries.fetch import fetch as fetch_wish
from multifd.libraries.find import Host, Library, candidates, chosen, libqat, opened
from multifd.libraries.packages import remedy
from multifd.libraries.probe import Probe, probe
from multifd.libraries.sources import NEWEST, Release

_into = click.option(
    "--into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Vendor folder instead of the one in your cache.",
)


@click.group(cls=Plain, help=f"Fetch and inspect vendor libraries ({LIBRARIES}) and further QEMU versions.")
def vendor() -> None:
    """The commands about vendor libraries."""


@vendor.command()
@click.option(
    "--suite",
    "suites",
    metavar="[LIBRARY=]SUITE",
    multiple=True,
    help="Suite of the host's own mirror, for one library or for the others; Debian's sid or Ubuntu's devel.",
)
@_into
@click.option("--qemu", is_flag=True, help="Further QEMU versions as well, about 45 MB each to download (Debian only).")
@click.option("--refresh", is_flag=True, help="Fetch again what is there already.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each of these; progress on stderr.")
def fetch(suites: tuple[str, ...], into: Path | None, qemu: bool, refresh: bool, *, as_json: bool) -> None:
    """Fetch the libraries with their dependencies from the host's own package mirror, without root.

    Nothing is installed: signed packages are unpacked into your cache (about 7 MB to download). A suite that lacks a
    library still gives the others: --suite trixie --suite libqpl=sid.
    """
    release = Release.of()
    if qemu and release.family != "debian":
        raise InputError(f"--qemu: distribution is {release.name!r}, expected Debian, whose suites have these versions")
    newest = NEWEST[release.family]
    for one in (*wish.by_suite(suites, newest), *(wish.QEMU if qemu else ())):
        tree = fetch_wish(one, into, refresh=refresh, progress=say if as_json else print)
        if as_json:
            versions = {package: tree.version(package) for package in one.packages}
            print(json.dumps({"name": one.name, "command": list(tree.command), "versions": versions}))
            continue
        print(f"{one.name}: runs with {shlex.join(tree.command)}")
        for codec in VENDOR.values():
            if codec.package in one.packages and tree.version(codec.package) is None:
                print(f"{one.name}: {_elsewhere(codec, one.suites[-1], newest, suites)}")


def _elsewhere(codec: VendorCodec, suite: str, newest: str, asked: Sequence[str]) -> str:
    """Where a library may be that the suite lacks."""
    if suite == newest:
        return f"{codec.library} is not in {suite}; build it from {codec.home}"
    kept = "".join(f" --suite {each}" for each in asked if not each.startswith(f"{codec.library}="))
    command = f"multifd vendor fetch{kept} --suite {codec.library}={newest}"
    return f"{codec.library} is not in {suite}; to have it from {newest}: {command}"


@vendor.command("list")
@click.argument("search", nargs=-1, type=click.Path(path_type=Path))
@_into
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(search: tuple[Path, ...], into: Path | None, as_json: bool) -> None:
    """Show every vendor library that is found, in order of preference, and every fetched QEMU.

    SEARCH are folders to look into first. Each library is loaded once, in a process of its own.
    """
    host = Host.here()
    proofs = [(library, probe(library)) for library in candidates(search, host, into)]
    used = chosen(library for library, proof in proofs if proof.problem is None)
    found = [_facts(library, proof, used) for library, proof in proofs]
    qemus = [_qemu(tree) for tree in cache.trees(into or cache.directory()) if tree.version("qemu-system-x86")]
    if as_json:
        print(json.dumps({"glibc": _dotted(host.glibc), "libraries": found, "qemu": qemus}, indent=1))
    else:
        _show(found, qemus, _dotted(host.glibc))


def _facts(library: Library, proof: Probe, used: Mapping[str, Library]) -> dict[str, Any]:
    return {
        "name": library.name,
        "version": library.version or proof.version,
        "origin": library.origin,
        "path": str(library.path),
        "glibc": _dotted(library.glibc),
        "loader": list(library.loader),
        "used": used.get(library.name) == library,
        "qatlib": libqat(library),
        "opens": {soname: path and str(path) for soname, path in opened(library).items()},
        "warning": library.warning,
        "problem": proof.problem,
    }


def _qemu(tree: cache.Tree) -> dict[str, Any]:
    return {
        "suite": tree.manifest.suites[-1],
        "version": tree.version("qemu-system-x86"),
        "command": list(tree.command),
    }


def _show(found: Sequence[dict[str, Any]], qemus: Sequence[dict[str, Any]], glibc: str) -> None:
    console = Console()
    for library in found:
        state = "[green]used[/]" if library["used"] else "shadowed"
        if library["problem"] is not None:
            state = f"[red]cannot be used[/]: {escape(library['problem'])}"
        runs = f"under {library['loader'][0]}" if library["loader"] else "plainly"
        console.print(
            f"[bold]{library['name']}[/] {library['version'] or 'of unknown version'}: {state}", soft_wrap=True
        )
        console.print(f"  {library['origin']:8} {escape(library['path'])}", soft_wrap=True)
        console.print(f"  glibc    needs {library['glibc']}, the host has {glibc}; runs {escape(runs)}", soft_wrap=True)
        if library["qatlib"] is not None:
            console.print(f"  qatlib   {library['qatlib']}", soft_wrap=True)
        for soname, path in library["opens"].items():
            console.print(f"  opens    {soname}: {escape(path or 'not there')}", soft_wrap=True)
        if library["warning"] is not None:
            console.print(f"  [yellow]note[/]     {escape(library['warning'])}", soft_wrap=True)
    for name, codec in VENDOR.items():
        if not any(library["name"] == name and library["used"] for library in found):
            console.print(f"[bold]{name}[/]: [yellow]not found[/]; remedy: {escape(remedy(codec))}", soft_wrap=True)
    for qemu in qemus:
        console.print(f"[bold]qemu[/] {qemu['version']} of {qemu['suite']}", soft_wrap=True)
        console.print(f"  runs     {escape(shlex.join(qemu['command']))}", soft_wrap=True)


def _dotted(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
