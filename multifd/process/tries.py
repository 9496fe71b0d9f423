"""How often something is started that does not start: three times in a row, and then never again.

A host that is gone stays gone for most of a run, and whoever waits for it at every cell waits for hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from multifd.errors import EnvironmentBroke
from multifd.result.printable import clipped

_TRIES: Final = 3
"""Times in a row that what cannot be started is tried."""


class Tries:
    """Those of one process of ours at starting ``whom``, in words."""

    def __init__(self, whom: str) -> None:
        self._whom = whom
        self._failures = 0
        """Times in a row that it could not be started."""
        self._why = ""

    def expect(self) -> None:
        """Raise EnvironmentBroke where it is not tried again."""
        if self._failures >= _TRIES:
            often = f"{_TRIES} times in a row it could not be started"
            raise EnvironmentBroke(clipped(f"{self._whom} is not tried again: {often}, at last: {self._why}"))

    def ended(self, why: str | None) -> None:
        """It could not be started, and why, or it could."""
        self._failures, self._why = (self._failures + 1, why) if why is not None else (0, "")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A block that raises EnvironmentBroke exactly where it cannot be started; raises it where it is not tried."""
        self.expect()
        try:
            yield
        except EnvironmentBroke as problem:
            self.ended(str(problem))
            raise
        self.ended(None)
