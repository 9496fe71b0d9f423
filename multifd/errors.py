"""Every error of this project; the type says who was wrong.

::

    MultifdError
    ├── InputError          the user: an option, a profile, a capture, a results directory   (exit 2)
    ├── EnvironmentBroke    the host: disk full, no memory, no permission, interrupted        (exit 3)
    ├── HarnessError        us: a defect of this project
    ├── WireError           the sender: what arrived breaks the protocol
    │   └── TruncatedError  ... because it ended too early
    ├── PayloadError        the sender: a payload that its framing or codec cannot have produced
    ├── Unsupported         nobody: the codec declares that it cannot do what was asked
    └── PeerError           a peer process broke its contract (see multifd.peer.client)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final, Literal, Self

_MOST: Final = 500
"""Characters of what somebody else's exception says."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a migration something is wrong. What is not known is None; ``str()`` is how every error says it."""

    channel: int | None = None
    packet: int | None = None
    """The number in the packet's header."""
    block: str | None = None
    """RAM block."""
    page: int | None = None
    """Which of the packet's normal pages, from 0."""
    offset: int | None = None
    """Bytes of the channel's stream, the init packet included, before what is wrong."""
    found: str | None = None
    """What stands there (:func:`multifd.framing.recognize.described`)."""

    def __str__(self) -> str:
        named = (
            ("channel", self.channel),
            ("packet", self.packet),
            ("RAM block", self.block),
            ("page", self.page),
            ("byte", self.offset),
        )
        where = ", ".join(f"{name} {value}" for name, value in named if value is not None)
        return "; ".join(part for part in (where, f"found {self.found}" if self.found else "") if part)


class MultifdError(Exception):
    """Base of all errors raised on purpose."""


class InputError(MultifdError):
    """Bad input from the user: names the field, the value and what was expected."""


class EnvironmentBroke(MultifdError):  # noqa: N818  (the contract's own word: "the environment broke")
    """The host failed us: no space, no permission, no memory, an interruption."""


class HarnessError(MultifdError):
    """A defect of this project."""


def unforeseen(problem: BaseException) -> HarnessError:
    """An exception that nobody raised on purpose, in one line: what it is, and where it was raised."""
    last = extract_tb(problem.__traceback__)[-1:]
    where = "".join(f" in {Path(frame.filename).name}, line {frame.lineno}" for frame in last)
    return HarnessError(
        f"a defect of this program{where}: {type(problem).__name__}: {str(problem)[:_MOST]};"
        " remedy: report it with the command that you gave"
    )


class WireError(MultifdError):
    """What arrived breaks the multifd protocol.

    ``str()`` is QEMU's own wording where QEMU has one. ``field``, ``value``, ``expected`` and ``place`` are there for
    programs and for ``multifd dissect``.
    """

    def __init__(self, field: str, value: Any, expected: Any, message: str | None = None) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        self.place = Place()
        super().__init__(message or f"multifd: {field} is {value!r}, expected {expected}")


class TruncatedError(WireError):
    """The stream ended inside a packet or a record."""

    def __init__(self, field: str, received: int, expected: int) -> None:
        super().__init__(
            field,
            received,
            expected,
            f"multifd: {field}: stream ended after {received} of {expected} bytes"
            " (Unexpected end-of-file before all data were read)",
        )


class PayloadError(MultifdError):
    """A payload does not decode to the pages that its header announces.

    Who raises it says what is wrong; who knows where adds that (:meth:`at`), and ``str()`` ends with it.
    """

    def __init__(self, message: str, field: str | None = None, value: Any = None, expected: Any = None) -> None:
        self.message = message
        self.field = field
        self.value = value
        self.expected = expected
        self.place = Place()
        super().__init__(message)

    def at(self, **known: Any) -> Self:
        """The same error, and more of its :class:`Place`."""
        self.place = replace(self.place, **known)
        return self

    def __str__(self) -> str:
        where = str(self.place)
        return f"{self.message} ({where})" if where else self.message


class Unsupported(MultifdError):  # noqa: N818  (a statement about a capability, not an accident)
    """The codec declares that it cannot do this; ``capability`` names the one that is missing."""

    def __init__(self, capability: str, message: str) -> None:
        self.capability = capability
        super().__init__(message)


class PeerError(MultifdError):
    """A peer process broke its contract; ``kind`` is the verdict's kind that follows."""

    def __init__(self, kind: Literal["corrupt", "accepted", "hang", "crash"], message: str) -> None:
        self.kind = kind
        super().__init__(message)
