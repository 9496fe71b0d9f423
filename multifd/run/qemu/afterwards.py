"""After the refusal: is the source alive, does its guest have its memory, and can it be migrated now?

Whoever runs a fleet does not mind a migration that is refused as long as the guest goes on. So each source that has
failed is reset as a manager does it (:mod:`multifd.qemu.reset`), looked at, and migrated again: with ``none``, both
ends alike, to a fresh destination.

==========================================  =====================
the source                                  lost
==========================================  =====================
ended, or answers no more                   ``crash``, ``hang``
has another memory than before              ``corrupt``
refuses, or is refused once more            ``wrong-error``
says completed, and memory arrives changed  ``corrupt``
arrives                                     nothing
==========================================  =====================
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.evidence.aftermath import Aftermath
from multifd.evidence.observe import Memory
from multifd.qemu.guest import DiedError, GoneError, Guest
from multifd.qemu.migration import Course, End, Terms, incoming, outgoing, watch
from multifd.qemu.reset import Reset

RIGHT: Final = Terms("none", channels=2, return_path=True, pause=False)
"""What both ends are told for the migration that must arrive."""
_AGAIN: Final = "when it was to be migrated again"
_BY: Final = "by a further migration, with the method"
_LOOK: Final = 0.05
"""Seconds between two looks whether the source still lives."""


async def afterwards(
    source: Guest,
    reset: Reset,
    fresh: Callable[[], Awaitable[Guest]],
    left: Callable[[str], Memory],
    socket: str,
    within: float,
) -> Aftermath:
    """What becomes of a source that has said ``failed``.

    ``fresh`` starts a destination, ``left`` compares the memory of a side (``source``, ``fresh``) with what the guest
    had in the end, ``socket`` is where the destination is to listen, ``within`` the deadline in seconds. Raises
    :class:`EnvironmentBroke` where the destination does not come up.
    """
    patience = source.patience(within)
    while not reset.over.is_set() and source.exit_status is None and patience.pause() is not None:
        with suppress(TimeoutError):
            await asyncio.wait_for(reset.over.wait(), _LOOK)
    if reset.gone or source.exit_status is not None or not reset.over.is_set():
        return _gone(source, "when it was reset")
    if reset.words is not None:
        return Aftermath("wrong-error", f"a reset is refused: {reset.words}")
    memory = left("source")
    if not memory.identical:
        return Aftermath("corrupt", f"the guest's memory is not what it was: {memory.describe()}")
    return await again(source, await fresh(), RIGHT, left, socket, within)


async def again(
    source: Guest, fresh: Guest, terms: Terms, left: Callable[[str], Memory], socket: str, within: float
) -> Aftermath:
    """What becomes of a further migration of it; the rest is as :func:`afterwards` takes it."""
    refused = await _refused(source, fresh, terms, socket)
    if refused is not None:
        return refused
    course = await watch(source, fresh, within)
    lost = _lost(course)
    if lost is not None:
        return lost
    if not course.source.by_multifd:
        return Aftermath("invariant", "a further migration sent nothing on multifd channels")
    memory = left(fresh.name)
    if not memory.identical:
        return Aftermath("corrupt", f"a further migration, everybody says completed: {memory.describe()}")
    return Aftermath(None, f"the source lives, its memory is what it was, and arrived whole {_BY} {terms.method}")


async def _refused(source: Guest, fresh: Guest, terms: Terms, socket: str) -> Aftermath | None:
    """Why it did not even begin; None where it did."""
    try:
        await outgoing(source, terms, await incoming(fresh, terms, f"unix:{socket}"))
    except GoneError as gone:
        return Aftermath("crash" if isinstance(gone, DiedError) else "hang", f"{gone}; {_AGAIN}")
    except EnvironmentBroke as refusal:
        if source.exit_status is not None:
            return _gone(source, _AGAIN)
        return Aftermath("wrong-error", f"a further migration is refused: {refusal}")
    return None


def _lost(course: Course) -> Aftermath | None:
    """What is wrong with a further migration, by what both ends say; None where both say completed."""
    here, there = course.source, course.destination
    assert there is not None
    words = f"source {here.fate}: {here.words}; destination {there.fate}: {there.words}"
    if _killed(here) or _killed(there):
        return Aftermath("crash", f"a further migration: {words}")
    if course.stalled:
        return Aftermath("hang", f"a further migration, nothing moves any more: {words}")
    if here.completed and there.completed:
        return None
    if here.completed:
        return Aftermath("corrupt", f"a further migration, the source says completed, nobody has the guest: {words}")
    if there.completed:
        return Aftermath("corrupt", f"the receiving side says completed, the source does not: {words}")
    return Aftermath("wrong-error", f"a further migration fails: {words}")


def _gone(source: Guest, when: str) -> Aftermath:
    if source.exit_status is None:
        return Aftermath("hang", f"the source answers no more {when}")
    end = End(exit_status=source.exit_status, log=source.log)
    return Aftermath("crash", f"source {end.fate}: {end.words}; {when}")


def _killed(end: End) -> bool:
    return end.exit_status is not None and end.exit_status < 0
