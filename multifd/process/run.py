"""A program that is not trusted: it ends by itself, or when it hangs, or when it has written too much."""

from __future__ import annotations

import os
import selectors
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from multifd.process.child import NOWHERE, Child, killer
from multifd.process.patience import Patience
from multifd.process.threads import group

MOST: Final = 4 << 20
"""Bytes of output, and of log, after which a program is stopped."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    status: int
    """Negative for a signal."""
    output: bytes
    log: bytes
    stopped: Literal["hung", "flooded"] | None = None
    """Why it was killed: because it hung, or for what it wrote."""
    within: str = ""
    """How long one that hung was given, in words: ``within 30 s``."""

    @property
    def died(self) -> str | None:
        """The signal that ended it, in words."""
        return killer(self.status)


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    deadline: float,
    most: int = MOST,
    directory: Path | None = None,
) -> Ended:
    """Run a program to its end, with ``environment`` besides our own variables, and in ``directory``.

    One that does nothing at the ``deadline``, in seconds, hangs (:mod:`multifd.process.patience`). What it leaves
    behind in its process group is killed, and so is the program if we are. Raises :class:`EnvironmentBroke` where it
    cannot be started.
    """
    child = Child(command, environment, stdin=NOWHERE, directory=directory, with_us=True)
    texts = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
    output, log = texts.values()
    patience = Patience(deadline, partial(group, child.pid))
    with child.stdout, child.stderr:
        try:
            stopped = _drain(texts, patience, most) or _wait(child, patience)
        finally:
            child.end()
    return Ended(child.ended(), bytes(output), bytes(log), stopped, patience.within if stopped == "hung" else "")


def _drain(texts: Mapping[int, bytearray], patience: Patience, most: int) -> Literal["hung", "flooded"] | None:
    """Read until both ends are closed."""
    with selectors.DefaultSelector() as selector:
        for descriptor in texts:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            pause = patience.pause()
            if pause is None:
                return "hung"
            for key, _ in selector.select(pause):
                chunk = os.read(key.fd, 1 << 16)
                texts[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
                if len(texts[key.fd]) > most:
                    return "flooded"
    return None


def _wait(child: Child, patience: Patience) -> Literal["hung"] | None:
    """Wait for one that has closed its ends."""
    while (pause := patience.pause()) is not None:
        if child.wait(pause) is not None:
            return None
    return "hung"
