"""Runs a cell about a vendor library: a process of its own, under the loader that the library needs.

What a reproducer prints last is its evidence, ``shown: SEVERITY: SENTENCE``, ``gone: SENTENCE`` or
``skipped: REASON``; a check prints its observations (:mod:`multifd.scrutiny`). The death of the process is evidence
as well, and costs this cell only.

==================  =============================================================
what was shown      what the cell observes
==================  =============================================================
corruption          a hazard: wrong bytes, and nobody told the caller
crash, hang         the same
leak, contract      what was written is right, but the library breaks its word
==================  =============================================================
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from multifd.evidence.outcome import Outcome
from multifd.libraries.find import Library, python_command
from multifd.oracle.verdict import Observation
from multifd.plan.library import REPRODUCERS
from multifd.plan.work import Check, Fidelity, Reproducer
from multifd.process.python import python
from multifd.process.run import MOST, Ended, run
from multifd.result.record import Seconds, Severity, Sides
from multifd.scrutiny import observation as scrutiny

_EVIDENCE: Final = re.compile(rf"(?:shown: ({'|'.join(get_args(Severity))})|(gone)|(skipped)): (.+)")


class Skipped(Exception):  # noqa: N818  (an answer, not an accident)
    """The reproducer says that it cannot show anything here; the text is its reason."""


def examine(
    work: Check | Reproducer, library: Library, deadline: float, most: int = MOST, reproducers: Path = REPRODUCERS
) -> Outcome:
    """Run the cell, whose deadline is in seconds; raises :class:`Skipped`."""
    arguments = ["-m", "multifd.scrutiny", work.name, work.library]
    if isinstance(work, Reproducer):
        arguments = [str(reproducers / work.library / f"{work.name}.py")]
    command, environment = python_command(library, arguments)
    started = time.perf_counter()
    ended = run(command, environment, deadline, most)
    wall = time.perf_counter() - started
    read: Callable[[Ended], Observation] = _evidence if isinstance(work, Reproducer) else _observations
    observation = _fate(ended) or read(ended)
    provenance = Sides(sender="vendor-software", receiver="vendor-software")
    return Outcome(observation, provenance, seconds=Seconds(wall=wall))


def compare(work: Fidelity, library: Library, deadline: float, most: int = MOST) -> Outcome:
    """Hold an emulation against its library on the cell's streams; the deadline is in seconds."""
    _, environment = python_command(library, ())
    arguments = ("--library", work.library, "--streams", str(work.streams))
    started = time.perf_counter()
    ended = run(python("-m", "multifd.fidelity", *arguments), environment, deadline, most)
    wall = time.perf_counter() - started
    observation = _fate(ended) or _disagreements(ended)
    return Outcome(observation, Sides(sender="emulated", receiver="vendor-software"), seconds=Seconds(wall=wall))


def _fate(ended: Ended) -> Observation | None:
    """A process that did not come to its own end."""
    if ended.stopped == "hung":
        return _shown("hang", f"did not end {ended.within}")
    if ended.stopped == "flooded":
        return _shown("crash", "was stopped for what it wrote without end")
    if ended.died:
        return _shown("crash", f"killed by {ended.died}")
    return None


def _evidence(ended: Ended) -> Observation:
    last = (ended.output.decode(errors="replace").splitlines() or [""])[-1]
    match = _EVIDENCE.fullmatch(last)
    if ended.status or match is None:
        return _broken(ended, f"last line {last!r}, expected 'shown: …', 'gone: …' or 'skipped: …'")
    severity, gone, skipped, sentence = match.groups()
    if skipped:
        raise Skipped(sentence)
    return Observation("identical") if gone else _shown(severity, sentence)  # type: ignore[arg-type]


def _observations(ended: Ended) -> Observation:
    try:
        seen = [scrutiny.Observation.parse(line) for line in ended.output.splitlines()]
    except (ValueError, TypeError):
        return _broken(ended, "a line that is no observation")
    different = [one for one in seen if not one.ok]
    if not seen or ended.status != bool(different):
        return _broken(ended, f"{len(seen)} observations, of which {len(different)} differ")
    if not different:
        return Observation("identical")
    worst = scrutiny.worst(one.severity for one in different if one.severity is not None)
    return _listed(worst, "observations differ", tuple(one.complaint for one in different))


def _disagreements(ended: Ended) -> Observation:
    lines = [line for line in ended.output.decode(errors="replace").splitlines() if line.startswith("DISAGREE ")]
    if ended.status != bool(lines):
        return _broken(ended, f"{len(lines)} disagreements")
    if not lines:
        return Observation("identical")
    return _listed("corruption", "disagreements are shown", tuple(lines))


def _shown(severity: Severity, text: str) -> Observation:
    match severity:
        case "corruption":
            return Observation("hazard", text, text)
        case "crash" | "hang":
            return Observation(severity, text, text)
        case "leak" | "contract":
            return Observation("identical", text, claim=text)


def _listed(severity: Severity, what: str, complaints: tuple[str, ...]) -> Observation:
    shown = _shown(severity, f"{len(complaints)} {what}, the first: {complaints[0]}")
    return replace(shown, complaints=complaints)


def _broken(ended: Ended, what: str) -> Observation:
    log = ended.log.decode(errors="replace").strip()[-300:]
    return Observation(
        "broken", detail=f"exit status {ended.status}, {what}" + (f"; its log ends: {log}" if log else "")
    )
