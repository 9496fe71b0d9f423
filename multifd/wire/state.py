"""What the receivers of both kinds of channel have in common: a table of states, and an error that is final.

A receiver is fed what arrives (``feed``), is told when the stream is over (``finish``), and says where it is
(``state``). What may happen in which state is a table. Three things can be wrong, and the error says who was:

* the stream breaks the protocol: :class:`WireError`. The receiver is in its ERROR state from then on, and whatever is
  asked of it raises the same error again, so that nobody goes on after an offset or a count that cannot be right;
* the stream ends where it must not: :class:`TruncatedError`, which is a WireError;
* the caller does what the table has no place for, or feeds what was not asked for: :class:`HarnessError`. Nothing has
  been taken then, and the state is as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, NoReturn, TypeVar

from multifd.errors import HarnessError, WireError

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E")


class StateMachine(Generic[S, E]):
    """Moves from state to state as its table says, until an error stops it."""

    def __init__(self, table: Mapping[S, Mapping[E, S]], start: S, broken: S) -> None:
        """``start`` is the first state, ``broken`` the one that an error leads to, from wherever."""
        self.state = start
        self._table = table
        self._broken = broken
        self._error: WireError | None = None

    def _check(self) -> None:
        """Raise the error that has stopped it, if one has."""
        if self._error is not None:
            raise self._error

    def _move(self, event: E) -> None:
        """Go where the table leads; raises :class:`HarnessError` where it has no such event."""
        try:
            self.state = self._table[self.state][event]
        except KeyError:
            raise HarnessError(f"{event} cannot happen in state {self.state}") from None

    def _fail(self, error: WireError) -> NoReturn:
        """Stop for good."""
        self._error = error
        self.state = self._broken
        raise error
