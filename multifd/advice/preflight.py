"""Preflight: whether this very migration, as two running QEMUs are set, would be safe, refused or hazardous."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from multifd.advice import of_run
from multifd.advice.defects import met
from multifd.advice.lines import STANDING, Basis, Line, Standing
from multifd.advice.mending import RETURN_PATH, mended
from multifd.advice.monitor import Running
from multifd.advice.named import named
from multifd.advice.releases import OLDEST, is_versioned, untold
from multifd.advice.terms import Terms, expected
from multifd.framing.model import METHOD_FRAMINGS
from multifd.oracle.question import Prediction
from multifd.qemu.arch import version_of
from multifd.qemu.facts import dialect_of
from multifd.result import known
from multifd.result.record import Model, Results, Setting
from multifd.result.versions import Release, Releases

_LOST: Final = (
    f"{RETURN_PATH} is not on at both ends: where the destination refuses or dies the source may say completed all the"
    " same, and the guest is on neither side"
)
_NOBODY: Final = "the destination does not wait for a migration (-incoming defer, then migrate-incoming)"


class End(Model):
    """One end as it is set."""

    name: str
    version: str
    machine: str
    multifd: bool
    method: str
    channels: int
    zero_pages: str
    """``zero-page-detection``; ``legacy`` before 9.0, which knows nothing else."""
    return_path: bool
    tls: bool
    waits: bool
    """It waits for a migration to come."""


class Preflight(Model):
    """What would come of it, and what to change."""

    verdict: Standing
    why: str
    rests_on: Basis = "oracle"
    cells: tuple[str, ...] = ()
    """Ids of the run's cells that say so."""
    words: str | None = None
    """What a refusal says, a regular expression."""
    setting: tuple[Setting, ...] = ()
    """What must have been set for it, besides defaults."""
    issues: tuple[str, ...] = ()
    """Ids of known issues behind it."""
    notes: tuple[str, ...] = ()
    """What makes a difference all the same."""
    sender: End
    receiver: End
    change_sender: tuple[str, ...] = ()
    """QMP commands after which it is safe; none where it is, or where no setting makes it so."""
    change_receiver: tuple[str, ...] = ()


def preflight(sender: Running, receiver: Running, run: Results | None = None) -> Preflight:
    """The verdict. Pure: both have been asked. Where the oracle calls it safe a run is asked whether it was."""
    found = _of_oracle(sender, receiver)
    line = _of_run(sender, receiver, run) if run is not None and found.verdict == "safe" else None
    if line is None:
        return found
    seen = {"verdict": line.verdict, "why": line.why, "issues": line.issues, "cells": line.cells, "rests_on": "run"}
    return found.model_copy(update=seen)


def _of_run(sender: Running, receiver: Running, run: Results) -> Line | None:
    """What cells say of these two with this method at the defaults; None where they say nothing, or more is set."""
    if sender.terms.zero_pages != untold(sender.facts, sender.machine).zero_pages:
        return None
    lines = of_run.judged(sender.host, receiver.host, run).lines
    about = (line for line in lines if line.method == sender.terms.method and line.released and line.setting is None)
    return next((line for line in about if line.rests_on == "run"), None)


def _of_oracle(sender: Running, receiver: Running) -> Preflight:
    standing, why, found = _incomparable(sender, receiver) or judged(sender, receiver, sender.terms, receiver.terms)
    setting = found.setting if found is not None else ()
    waits = RETURN_PATH in sender.on & receiver.on
    if standing == "refused" and not waits:
        standing, why = "hazard", f"{why}; and {_LOST}"
        setting = (*setting, Setting(name=RETURN_PATH, value="off", default="off", machine=sender.machine))
    changes = mended(sender, receiver, _is_safe) if standing != "safe" or not waits else ((), ())
    return Preflight(
        verdict=standing, why=named(why, sender.host, receiver.host),
        words=found.error if found is not None else None, setting=setting,
        issues=_issues(sender, receiver, found), notes=tuple(_notes(sender, receiver)),
        sender=_end(sender), receiver=_end(receiver), change_sender=changes[0], change_receiver=changes[1],
    )  # fmt: skip


def _end(running: Running) -> End:
    terms = running.terms
    return End(
        name=running.name, version=running.facts.release, machine=running.machine, multifd=running.multifd,
        method=terms.method, channels=terms.channels, zero_pages=terms.zero_pages,
        return_path=RETURN_PATH in running.on, tls=terms.tls, waits=running.waits,
    )  # fmt: skip


def _incomparable(sender: Running, receiver: Running) -> tuple[Standing, str, None] | None:
    """What no parameter of a method changes, and what nobody knows."""
    if sender.machine != receiver.machine:
        why = f"the source runs {sender.machine}, the destination {receiver.machine}, and no guest changes that"
        return "refused", why, None
    if not (sender.multifd or receiver.multifd):
        return "unknown", "multifd is off at both ends: nothing is known here of migrations without it", None
    if sender.multifd != receiver.multifd:
        which = "source" if sender.multifd else "destination"
        return "unknown", f"multifd is on at the {which} only: nobody has tried what comes of that", None
    for running in (sender, receiver):
        if running.terms.method not in METHOD_FRAMINGS:
            return "unknown", f"{running.name} is set to a method of which nothing is known here", None
    return None


def judged(sender: Running, receiver: Running, sent: Terms, read: Terms) -> tuple[Standing, str, Prediction]:
    """What comes of it if the two were set like this, why, and what the oracle says."""
    prediction = expected(sent, read, sender.machine, untold(sender.facts, sender.machine))
    if prediction.outcome != "identical":
        return STANDING[prediction.outcome], prediction.reason, prediction
    defect = next(met(sender.facts, receiver.facts, sent.method, sent.zero_pages), None)
    if defect is not None:
        return "hazard", str(defect), prediction
    for issue in known.shipped():
        if _needs(issue, sent.on & read.on, sender) and issue.concerns(_releases(sender, receiver)):
            return "hazard", f"{issue.id}: {issue.cause}", prediction
    return "safe", "memory arrives", prediction


def _is_safe(sender: Running, receiver: Running, sent: Terms, read: Terms) -> bool:
    return judged(sender, receiver, sent, read)[0] == "safe"


def _needs(issue: known.KnownIssue, on: frozenset[str], sender: Running) -> bool:
    """It is about capabilities, all of which are on at both ends, and about machine types of this age."""
    if issue.verdict != "known" or not issue.setting or not set(issue.setting) <= on:
        return False
    since = version_of(sender.machine) if is_versioned(sender.machine) else sender.facts.version
    return re.fullmatch(issue.dialect, dialect_of(max(since[:2], OLDEST)).name) is not None


def _issues(sender: Running, receiver: Running, found: Prediction | None) -> tuple[str, ...]:
    on = sender.on & receiver.on
    shown = (
        issue
        for issue in known.shipped()
        if _needs(issue, on, sender)
        or (found is not None and found.outcome == issue.verdict == "hazard" and issue.says(found.reason))
    )
    return tuple(issue.id for issue in shown if issue.concerns(_releases(sender, receiver)))


def _notes(sender: Running, receiver: Running) -> Iterator[str]:
    """What is not wrong by itself."""
    if RETURN_PATH not in sender.on & receiver.on:
        yield _LOST
    if not receiver.waits:
        yield _NOBODY


def _releases(sender: Running, receiver: Running) -> Releases:
    return Releases(
        {"sender": (Release("QEMU", sender.facts.release),), "receiver": (Release("QEMU", receiver.facts.release),)}
    )
