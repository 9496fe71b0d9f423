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

from typing import Any, Literal


class MultifdError(Exception):
    """Base of all errors raised on purpose."""


class InputError(MultifdError):
    """Bad input from the user: names the field, the value and what was expected."""


class EnvironmentBroke(MultifdError):  # noqa: N818  (the contract's own word: "the environment broke")
    """The host failed us: no space, no permission, no memory, an interruption."""


class HarnessError(MultifdError):
    """A defect of this project."""


class WireError(MultifdError):
    """What arrived breaks the multifd protocol.

    ``str()`` is QEMU's own wording where QEMU has one. ``field``, ``value`` and ``expected`` are there for
    programs and for ``multifd dissect``.
    """

    def __init__(self, field: str, value: Any, expected: Any, message: str | None = None) -> None:
        self.field = field
        self.value = value
        self.expected = expected
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
    """A payload does not decode to the pages that its header announces."""

    def __init__(self, message: str, *, page: int | None = None) -> None:
        self.page = page
        super().__init__(message if page is None else f"{message} (page {page} of the packet)")


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
