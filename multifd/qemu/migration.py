"""Drive a migration between QEMU and whoever is at the other end, and tell how it ended for QEMU.

::

    source   setup -> active -> pre-switchover -> device -> completed
                        |             |
                   first rounds   pages are rewritten here, when all that was sent has been taken;
                                  they travel in the last round

``pause-before-switchover`` makes the history of a page certain: it is sent, it changes, it is sent again. Without it
the second content would be a matter of luck.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from qemu.qmp import ExecuteError

from multifd.errors import EnvironmentBroke
from multifd.process.patience import MOST
from multifd.process.threads import asleep
from multifd.qemu.guest import GoneError, Guest

POLL: Final = 0.005
"""Seconds between two looks."""
_SLOWLY: Final = 0.04
"""Seconds between two looks when nothing changes: QEMU is not to be kept busy by answering."""
QUIET: Final = 4
"""Looks in a row at which everybody sleeps, after which what was sent has been taken."""
STALL: Final = 18
"""Slow looks in a row at which nothing has changed and everybody sleeps, after which nobody waits any longer. Looks are
counted, not seconds: on a busy host they come later, and who wants to run and cannot does not sleep."""
_MUTE: Final = 12
"""The same for a question that is not answered."""
_STUCK: Final = 0.5
"""Seconds without progress after which a source is taken to wait for its destination."""
_ANSWER: Final = 10.0
"""Seconds that a living QEMU takes at most to answer."""
_OVER: Final = ("completed", "failed", "cancelled")
UNLIMITED: Final = 1 << 40
"""Bytes a second."""

Change = Callable[[], Awaitable[None]]
"""What is done to the guest's memory between two rounds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one side is told."""

    method: str
    channels: int
    zero_pages: str | None = None
    """Value of ``zero-page-detection``, None to leave it alone."""
    return_path: bool = False
    bandwidth: int = UNLIMITED
    """Bytes a second."""
    pause: bool = True
    """A source pauses before the switchover."""
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    """Further ones."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Further ones."""


@dataclass(slots=True)
class End:
    """How a migration ended for one QEMU."""

    status: str = "none"
    """Last word of ``query-migrate``."""
    error: str | None = None
    """Its ``error-desc``."""
    exit_status: int | None = None
    """Of a process that ended by itself."""
    log: str = ""
    bytes_sent: int = 0
    cpu_seconds: float = 0.0
    mute: bool = False
    """It lives and answers no more."""

    @property
    def completed(self) -> bool:
        """It says so, and lives."""
        return self.status == "completed" and self.exit_status is None

    @property
    def dead(self) -> bool:
        """The process ended."""
        return self.exit_status is not None

    @property
    def words(self) -> str:
        """What it said of its failure."""
        return "; ".join(dict.fromkeys(text for text in (self.error, self.log) if text)) or "no message"

    @property
    def fate(self) -> str:
        """In words."""
        if self.exit_status is None:
            return f"{self.status}, answers no more" if self.mute else self.status
        if self.exit_status < 0:
            return f"killed by signal {-self.exit_status}"
        return f"exit status {self.exit_status}"


@dataclass(slots=True)
class Course:
    """How it went; ``destination`` is None where that is no QEMU."""

    source: End = field(default_factory=End)
    destination: End | None = None
    stalled: bool = False
    """Nothing moved at :data:`STALL` looks in a row, or the deadline came, and no end was in sight."""


async def incoming(guest: Guest, terms: Terms, address: str) -> str:
    """Have it wait for a migration at ``address`` (``unix:PATH``, ``tcp:HOST:PORT``); returns the real address.

    Raises EnvironmentBroke if it refuses.
    """
    await _agree(guest, terms)
    await _told(guest, "migrate-incoming", uri=address)
    if not address.startswith("tcp:"):
        return address
    listening = (await guest.execute("query-migrate", _ANSWER))["socket-address"][0]
    return f"tcp:{listening['host']}:{listening['port']}"


async def outgoing(guest: Guest, terms: Terms, address: str) -> None:
    """Have it start a migration to ``address``; raises EnvironmentBroke if it refuses."""
    await _agree(guest, terms, {"pause-before-switchover": terms.pause})
    await _told(guest, "migrate-set-parameters", max_bandwidth=terms.bandwidth)
    await _told(guest, "migrate", uri=address)


async def sent(source: Guest) -> End:
    """Wait until a source has sent everything, has failed, or can send no more; returns how it is then."""
    end, since = End(), time.monotonic()
    while end.status not in _OVER and time.monotonic() - since < _STUCK:
        before = (end.status, end.bytes_sent)
        await _ask(source, end)
        if (end.status, end.bytes_sent) != before:
            since = time.monotonic()
        await asyncio.sleep(POLL)
    return end


async def _agree(guest: Guest, terms: Terms, further: dict[str, bool] | None = None) -> None:
    wanted = {"multifd": True, "return-path": terms.return_path, **(further or {}), **terms.capabilities}
    capabilities = [{"capability": name, "state": state} for name, state in wanted.items()]
    parameters: dict[str, Any] = {"multifd_channels": terms.channels, "multifd_compression": terms.method}
    if terms.zero_pages is not None:
        parameters["zero_page_detection"] = terms.zero_pages
    parameters |= terms.parameters
    await _told(guest, "migrate-set-capabilities", capabilities=capabilities)
    await _told(guest, "migrate-set-parameters", **parameters)


async def _told(guest: Guest, command: str, **arguments: Any) -> None:
    try:
        await guest.execute(command, _ANSWER, **arguments)
    except ExecuteError as refusal:
        given = ", ".join(f"{key}={value}" for key, value in arguments.items())
        raise EnvironmentBroke(f"{guest.name} refuses {command} {given}: {refusal}") from None


async def watch(
    source: Guest,
    destination: Guest | None,
    within: float,
    *,
    early: Change | None = None,
    late: Sequence[Change] = (),
    between: Sequence[int] = (),
    at_rest: Callable[[], bool] = lambda: True,
) -> Course:
    """Follow a migration to its end: both over, one gone, or nothing moving any more; ``within`` seconds are its
    deadline, and as many times that as :mod:`multifd.process.patience` gives to who computes end it.

    ``early`` is done once, in the middle of the first round (which needs a small bandwidth to have one); ``late`` at
    the pause before the switchover, when the destination has taken all that was sent before. ``between`` are the ids of
    processes that the stream goes through, and ``at_rest`` says whether nothing stands in a tap of ours that could go
    on: while they work, nothing has stalled.
    """
    course = Course(destination=End() if destination is not None else None)
    pids = (source.pid, *((destination.pid,) if destination is not None else ()), *between)

    def quiet() -> bool:
        return all(map(asleep, pids)) and at_rest()

    expires = time.monotonic() + MOST * within
    seen: tuple[object, ...] = ()
    still, continued = 0, False
    while True:
        await _ask(source, course.source)
        if destination is not None and course.destination is not None:
            await _ask(destination, course.destination)
        # On a busy host the round may be over before anybody looks.
        if early is not None and course.source.status in ("active", "pre-switchover") and course.source.bytes_sent:
            await _made(early, source)
            early = None
        if course.source.status == "pre-switchover" and not continued:
            await _taken(destination, quiet)
            for change in late:
                await _made(change, source)
            await _continue(source)
            continued = True
        if _over(course):
            return course
        state = (course.source.status, course.source.bytes_sent, course.destination and course.destination.status)
        await asyncio.sleep(_SLOWLY if still else POLL)
        # Before the next question, for whoever answers is awake.
        still = still + 1 if state == seen and quiet() else 0
        seen = state
        if still == STALL or time.monotonic() > expires:
            course.stalled = True
            return course


def _over(course: Course) -> bool:
    """Nothing more will happen. A destination that failed but lives on, and one whose source gave up, are over too."""
    source, destination = course.source, course.destination
    if not (source.status in _OVER or source.dead):
        return False
    return destination is None or destination.dead or destination.status in _OVER


async def _ask(guest: Guest, end: End) -> None:
    """Write down what it says; a process that has ended keeps its last word."""
    info: dict[str, Any] = {}
    # Before the question: what a process used last is lost with it.
    end.cpu_seconds = guest.cpu_seconds or end.cpu_seconds
    if end.exit_status is None and not (end.mute and asleep(guest.pid)):
        answer = await _answer(guest, "query-migrate")
        end.mute = answer is None
        info = answer or {}
    end.exit_status = guest.exit_status
    end.mute = end.mute and end.exit_status is None
    end.status = info.get("status", end.status)
    end.error = info.get("error-desc", end.error)
    end.bytes_sent = info.get("ram", {}).get("transferred", end.bytes_sent)
    if end.exit_status is not None or end.status in _OVER:
        end.log = guest.log


async def _answer(guest: Guest, command: str, **arguments: Any) -> dict[str, Any] | None:
    """Its answer; None from one that has ended, or sleeps and does not answer. Raises ExecuteError if it refuses."""
    question = asyncio.ensure_future(guest.execute(command, _ANSWER, **arguments))
    sleeping = 0
    while not (await asyncio.wait((question,), timeout=_SLOWLY))[0]:
        sleeping = sleeping + 1 if asleep(guest.pid) else 0
        if guest.exit_status is not None or sleeping == _MUTE:
            question.cancel()
    try:
        answer: dict[str, Any] = question.result()
    except (GoneError, asyncio.CancelledError):
        return None
    return answer


async def _taken(destination: Guest | None, quiet: Callable[[], bool]) -> None:
    """Wait until a destination has read and applied what is on its way: until everybody only sleeps."""
    looks = 0
    while looks < QUIET and destination is not None and destination.exit_status is None:
        looks = looks + 1 if quiet() else 0
        await asyncio.sleep(POLL)


async def _made(change: Change, source: Guest) -> None:
    try:
        await change()
    except GoneError:
        if source.exit_status is None:
            raise
        # It died meanwhile: what that means, its end says.


async def _continue(source: Guest) -> None:
    with suppress(ExecuteError):  # it has failed meanwhile, as the next question will tell
        await _answer(source, "migrate-continue", state="pre-switchover")
