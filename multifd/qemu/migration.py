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

from multifd.process.patience import MOST
from multifd.process.threads import asleep
from multifd.qemu.guest import GoneError, Guest, RefusedError, end_of
from multifd.qemu.standstill import Carrier, Standstill

POLL: Final = 0.005
"""Seconds between two looks."""
_SLOWLY: Final = 0.04
"""Seconds between two looks when nothing changes: QEMU is not to be kept busy by answering."""
QUIET: Final = 4
"""Looks in a row at which everybody sleeps and nothing is on its way, after which what was sent has been taken."""
SILENCE: Final = 200
"""Slow looks, 8 s or more, at which everybody sleeps and nothing has moved since the first of them, after which nobody
waits any longer. Looks are counted, not seconds: on a busy host they come later, and who wants to run and cannot does
not sleep."""
_SOON, _AGAIN = 2, 5
"""Slow looks without a change after which is looked whether anybody *can* move, and again."""
_MUTE: Final = 12
"""Slow looks at which everybody sleeps, after which a question has no answer for now."""
_ANSWER: Final = 10.0
"""Seconds that a living QEMU takes at most to answer."""
_OVER: Final = ("completed", "failed", "cancelled")
_WAITING: Final = ("none", "setup")
"""What a destination says before its first connection: QEMU before 8.0 and later."""
UNLIMITED: Final = 1 << 40
"""Bytes a second."""

Change = Callable[[], Awaitable[None]]
"""What is done to the guest's memory between two rounds."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one side is told."""

    method: str | None
    """None to leave it alone, like the next ones."""
    channels: int | None
    zero_pages: str | None = None
    """Value of ``zero-page-detection``."""
    return_path: bool = False
    bandwidth: int | None = UNLIMITED
    """Bytes a second, None to leave it alone."""
    pause: bool = True
    """A source pauses before the switchover."""
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    """Further ones."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Further ones."""
    on_command_line: bool = False
    """It was started with them (:meth:`arguments`), and is told nothing."""

    def wanted(self) -> dict[str, bool]:
        """Capabilities."""
        return {"multifd": True, "return-path": self.return_path, **self.capabilities}

    def set(self) -> dict[str, Any]:
        """Parameters, but the bandwidth, which is the source's alone."""
        parameters = {
            "multifd-channels": self.channels,
            "multifd-compression": self.method,
            "zero-page-detection": self.zero_pages,
            **self.parameters,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def arguments(self) -> tuple[str, ...]:
        """The options that say the same to a QEMU that is started."""
        if not self.on_command_line:
            return ()
        told = {f"x-{name}": "on" for name, state in self.wanted().items() if state} | self.set()
        return tuple(word for name, value in told.items() for word in ("-global", f"migration.{name}={value}"))


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
    by_multifd: int = 0
    """Bytes on channels, by its own count."""
    cpu_seconds: float = 0.0
    mute: bool = False
    """It lives and answers no more."""

    @property
    def completed(self) -> bool:
        """It says so, and lives."""
        return self.status == "completed" and self.exit_status is None

    @property
    def over(self) -> bool:
        """Nothing more will come of it."""
        return self.dead or self.status in _OVER

    @property
    def waits(self) -> bool:
        """A destination that answers, and to which nobody has come yet."""
        return not self.dead and not self.mute and self.status in _WAITING

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
        return end_of(self.exit_status)


@dataclass(slots=True)
class Course:
    """How it went; ``destination`` is None where that is no QEMU."""

    source: End = field(default_factory=End)
    destination: End | None = None
    stalled: bool = False
    """Nobody could move any more, or nothing moved at :data:`SILENCE` looks, or the deadline came, and no end
    was in sight."""


async def incoming(guest: Guest, terms: Terms, address: str) -> str:
    """Have it wait for a migration at ``address`` (``unix:PATH``, ``tcp:HOST:PORT``); returns the real address.

    Raises RefusedError if it refuses.
    """
    await _agree(guest, terms)
    await _told(guest, "migrate-incoming", uri=address)
    if not address.startswith("tcp:"):
        return address
    listening = (await guest.execute("query-migrate", _ANSWER))["socket-address"][0]
    return f"tcp:{listening['host']}:{listening['port']}"


async def outgoing(guest: Guest, terms: Terms, address: str) -> None:
    """Have it start a migration to ``address``; raises RefusedError if it refuses."""
    await _agree(guest, terms, {"pause-before-switchover": terms.pause})
    if terms.bandwidth is not None:
        await _told(guest, "migrate-set-parameters", max_bandwidth=terms.bandwidth)
    await _told(guest, "migrate", uri=address)


async def sent(source: Guest, destination: Guest, through: Sequence[Carrier] = ()) -> End:
    """Wait until a source has sent everything to a destination that stands still, or has failed, or can send no more;
    returns how it is then. ``through`` are as :func:`watch` takes them."""
    end, still = End(), Stillness(Standstill([source], through=through, stand=[destination]))
    asking = _Asking(source)
    while end.status not in _OVER and not end.dead and not await still.lasts(end.status, end.bytes_sent):
        await _ask(asking, end)
    return end


async def _agree(guest: Guest, terms: Terms, further: dict[str, bool] | None = None) -> None:
    """Tell it the terms, after a look at how it stands; events are asked for, so that its own story is complete."""
    await guest.execute("query-migrate", _ANSWER)
    wanted = {"events": True, **terms.wanted(), **(further or {})}
    if terms.on_command_line:
        await _started_with(guest, terms)
        wanted = {"events": True, **(further or {})}
    capabilities = [{"capability": name, "state": state} for name, state in wanted.items()]
    await _told(guest, "migrate-set-capabilities", capabilities=capabilities)
    if not terms.on_command_line and (parameters := terms.set()):
        await _told(guest, "migrate-set-parameters", **parameters)


async def _started_with(guest: Guest, terms: Terms) -> None:
    """Hold a QEMU to what it was started with: without it a migration could go well in another way."""
    asked = {**terms.wanted(), **terms.set()}
    states = {each["capability"]: each["state"] for each in await guest.execute("query-migrate-capabilities", _ANSWER)}
    has = {**states, **await guest.execute("query-migrate-parameters", _ANSWER)}
    for name, value in asked.items():
        if has.get(name) != value:
            raise RefusedError(f"{guest.name} was started with {name}={value}, and has {has.get(name)}")


async def _told(guest: Guest, command: str, **arguments: Any) -> None:
    try:
        await guest.execute(command, _ANSWER, **arguments)
    except ExecuteError as refusal:
        given = ", ".join(f"{key}={value}" for key, value in arguments.items())
        raise RefusedError(f"{guest.name} refuses {command} {given}: {refusal}") from None


async def watch(
    source: Guest,
    destination: Guest | None,
    within: float,
    *,
    early: Change | None = None,
    late: Sequence[Change] = (),
    between: Sequence[int] = (),
    through: Sequence[Carrier] = (),
) -> Course:
    """Follow a migration to its end: both over, one gone, or nothing moving any more; ``within`` seconds are its
    deadline, and as many times that as :mod:`multifd.process.patience` gives to who computes end it.

    ``early`` is done once, in the middle of the first round (which needs a small bandwidth to have one), at the latest
    before ``late``, which is done at the pause before the switchover, when the destination has taken all that was sent
    before. ``between`` are the ids of processes that the stream goes through, ``through`` threads of ours: while they
    work, nothing has stalled. Who is not named may be slow, and costs time where nothing moves.
    """
    course = Course(destination=End() if destination is not None else None)
    guests = [source, *((destination,) if destination is not None else ())]
    asking = [_Asking(guest) for guest in guests]
    ends = [course.source, *((course.destination,) if course.destination is not None else ())]
    standstill = Standstill(guests, between, through)
    still, expires, continued = Stillness(standstill), time.monotonic() + MOST * within, False
    try:
        while True:
            for question, end in zip(asking, ends, strict=True):
                await _ask(question, end)
            if early is not None and course.source.status == "active" and course.source.bytes_sent:
                await _made(early, source)
                early = None
            if course.source.status == "pre-switchover" and not continued:
                await _taken(standstill)
                for change in (*((early,) if early is not None else ()), *late):
                    await _made(change, source)
                early = None
                await _continue(source)
                continued = True
            if _over(course):
                return course
            if await still.lasts(*((end.status, end.bytes_sent) for end in ends)) or time.monotonic() > expires:
                course.stalled = True
                return course
    finally:
        for question in asking:
            question.close()


class Stillness:
    """How long nothing has moved."""

    def __init__(self, standstill: Standstill) -> None:
        self._standstill = standstill
        self._state: object = None
        self._seen: object = None
        self._looks = 0
        self._known = False

    async def lasts(self, *state: object) -> bool:
        """Whether nothing will move any more, by a state that has just been asked for; takes the time until the next
        question."""
        if self._known and state == self._state:
            return True  # nobody could move, and this is no news of before
        self._state, self._known = state, False
        await asyncio.sleep(_SLOWLY if self._looks else POLL)
        # Before the next question, for whoever answers is awake.
        seen = (state, self._standstill.in_flight())
        if seen != self._seen:
            self._seen, self._looks = seen, 0
        elif self._standstill.asleep:
            self._looks += 1
            self._known = self._looks % _AGAIN == _SOON and await self._standstill.known()
        return self._looks >= SILENCE


def _over(course: Course) -> bool:
    """Nothing more will happen. A destination that failed but lives on, and one whose source gave up, are over too."""
    source, destination = course.source, course.destination
    if not (source.status in _OVER or source.dead):
        return False
    return destination is None or destination.dead or destination.status in _OVER


async def _ask(asking: _Asking, end: End) -> None:
    """Write down what it says; a process that has ended keeps its last word."""
    guest = asking.guest
    info: dict[str, Any] = {}
    # Before the question: what a process used last is lost with it.
    end.cpu_seconds = guest.cpu_seconds or end.cpu_seconds
    if end.exit_status is None:
        answer = await asking.answer()
        end.mute = answer is None
        info = answer or {}
    end.exit_status = guest.exit_status
    end.mute = end.mute and end.exit_status is None
    end.status = info.get("status", end.status)
    end.error = info.get("error-desc", end.error)
    end.bytes_sent = info.get("ram", {}).get("transferred", end.bytes_sent)
    end.by_multifd = info.get("ram", {}).get("multifd-bytes", end.by_multifd)
    if end.exit_status is not None or end.status in _OVER:
        end.log = guest.log


class _Asking:
    """One guest that is asked how its migration goes. A question without an answer stays: who was stuck may go on."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self._question: asyncio.Future[dict[str, Any]] | None = None

    async def answer(self) -> dict[str, Any] | None:
        """Its answer; None from one that has ended, or sleeps and does not answer for now."""
        waited = self._question is not None
        question = self._question or asyncio.ensure_future(self.guest.execute("query-migrate", _ANSWER))
        self._question = question
        if not await _answered(question, self.guest, 0 if waited else _MUTE):
            return None
        self._question = None
        try:
            return question.result()
        except (GoneError, asyncio.CancelledError):
            return None

    def close(self) -> None:
        """Ask no more."""
        if self._question is not None:
            self._question.cancel()


async def _answered(question: asyncio.Future[Any], guest: Guest, mute: int) -> bool:
    """Whether there is an answer, or will be none; not yet from one that sleeps at so many looks."""
    sleeping = 0
    while not (await asyncio.wait((question,), timeout=_SLOWLY if mute else 0))[0]:
        sleeping = sleeping + 1 if asleep(guest.pid) else 0
        if guest.exit_status is not None:
            question.cancel()
        elif sleeping >= mute:
            return False
    return True


async def _taken(standstill: Standstill) -> None:
    """Wait until a destination has read and applied what is on its way, or cannot."""
    quiet, still = 0, Stillness(standstill)
    while quiet < QUIET and not await still.lasts():
        quiet = quiet + 1 if standstill.at_rest() else 0


async def _made(change: Change, source: Guest) -> None:
    try:
        await change()
    except GoneError:
        if await source.ending() is None:
            raise
        # It died meanwhile: what that means, its end says.


async def _continue(source: Guest) -> None:
    question = asyncio.ensure_future(source.execute("migrate-continue", _ANSWER, state="pre-switchover"))
    # It has failed meanwhile, or answers no more, as the next question will tell.
    with suppress(ExecuteError, GoneError, asyncio.CancelledError):
        if await _answered(question, source, _MUTE):
            question.result()
