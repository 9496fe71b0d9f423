"""Advice for a person: what may be set, what must not be, what to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape

from multifd.advice.lines import Direction, Line, Standing
from multifd.advice.preflight import End, Preflight
from multifd.result.counted import counted
from multifd.result.plainly import plainly

_STYLES: Final[dict[Standing, str]] = {"safe": "green", "hazard": "red", "refused": "yellow", "unknown": "red"}
_WIDTH: Final = 8
"""Of a method's name."""


def show_direction(console: Console, found: Direction) -> None:
    """One direction; each line says on what it rests."""
    machine = f", machine type {found.sender.machine}" if found.sender.machine is not None else ""
    _title(console, found.verdict, f"{found.sender.name} to {found.receiver.name}{machine}")
    _part(console, "safe, the least CPU time first", (_said(line) for line in found.safe))
    for line in found.safe:
        _part(console, f"{line.method} over QMP, at the destination, then the same at the source", line.qmp)
        _part(console, f"{line.method} with libvirt, at the source alone", line.libvirt)
    hazards = [line for line in found.lines if line.verdict in ("hazard", "unknown") and line.released]
    _part(console, "hazards: memory or the guest may be lost, and nobody says so", _hazards(hazards))
    refused = (line for line in found.lines if line.verdict == "refused" and line.released)
    _part(console, "refused", (_said(line) for line in refused))
    proposed = (line for line in found.lines if not line.released)
    _part(console, "what libraries could do, and no QEMU does", (_said(line) for line in proposed))
    console.print()


def show_preflight(console: Console, found: Preflight) -> None:
    """One migration."""
    _title(console, found.verdict, f"{found.sender.name} to {found.receiver.name}")
    _part(console, "why", (f"{found.why} {_basis(found)}",))
    _part(console, "with", map(str, found.setting))
    _part(console, "it will say something like", (plainly(found.words),) if found.words is not None else ())
    _part(console, "known issues", found.issues)
    _part(console, "as it is set", (_end("source", found.sender), _end("destination", found.receiver)))
    _part(console, "besides", found.notes)
    _part(console, "change at the source", found.change_sender)
    _part(console, "change at the destination", found.change_receiver)
    console.print()


def _end(role: str, end: End) -> str:
    settings = (
        f"multifd {_on(end.multifd)}", f"multifd-compression={end.method}", f"multifd-channels={end.channels}",
        f"zero-page-detection={end.zero_pages}", f"return-path {_on(end.return_path)}", f"TLS {_on(end.tls)}",
    )  # fmt: skip
    return f"{role}: {end.machine}, {', '.join(settings)}"


def _on(state: bool) -> str:
    return "on" if state else "off"


def _said(line: Line) -> str:
    cost = f" {line.cost:.1f} CPU s/GiB more than none;" if line.cost else ""
    words = f"; it says like {_words(line)}" if line.words is not None and line.verdict == "refused" else ""
    setting = f" with {line.setting}:" if line.setting is not None else ""
    # What is longer than its column is a sentence's beginning.
    mark = ":" if len(line.method) > _WIDTH and not setting else ""
    return f"{f'{line.method}{mark}':{_WIDTH}}{setting}{cost} {line.why}{words} {_basis(line)}"


def _words(line: Line) -> str:
    """Of a run they are what was said, of the oracle what is expected."""
    said = line.words or ""
    return said if line.rests_on == "run" else plainly(said)


def _basis(line: Line | Preflight) -> str:
    if line.rests_on == "oracle":
        return "[oracle]"
    ran = f" ({', '.join(line.provenance)})" if isinstance(line, Line) and line.provenance else ""
    return f"[run: {counted(len(line.cells))}{ran}, {line.cells[0]}]"


def _hazards(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        yield _said(line)
        yield from (f"  known issue: {each}" for each in line.issues)
        yield from (f"  instead: {each}" for each in (*line.qmp, *line.libvirt))


def _title(console: Console, verdict: Standing, text: str) -> None:
    console.print(f"[bold {_STYLES[verdict]}]{verdict}[/]  [bold]{escape(_plain(text))}[/]", soft_wrap=True)


def _part(console: Console, title: str, lines: Iterable[str]) -> None:
    shown = [_plain(line) for line in lines]
    if shown:
        console.print(f"  [bold]{escape(title)}[/]", soft_wrap=True)
    for line in shown:
        console.print(f"    {escape(line)}", soft_wrap=True)


def _plain(text: str) -> str:
    """Without what a terminal obeys: some of it was said by QEMUs, or stands in somebody's results."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
