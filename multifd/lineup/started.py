"""A vendor library as the run starts it: its codec in a peer, under the loader that the library needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from multifd import __version__
from multifd.errors import EnvironmentBroke, PeerError
from multifd.libraries.find import Library, python_command
from multifd.peer.client import PeerProcess
from multifd.peer.nursery import MODULE

NOT_AVAILABLE: Final = "not available"
_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Started:
    """What came of starting a library's peer."""

    version: str
    """The library's as the peer tells it, :data:`NOT_AVAILABLE` without a peer."""
    problem: str | None
    """Why it does not start; None if it does."""


def start(library: Library) -> Started:
    """Start the peer over a library that can be loaded, and ask who it is; 20 s are its deadline."""
    command, environment = python_command(library, (*MODULE, library.name))
    peer = PeerProcess(library.name, command, environment)
    try:
        return Started(peer.hello(_SECONDS).version.removesuffix(f" (multifd {__version__})"), None)
    except (PeerError, EnvironmentBroke) as problem:
        return Started(NOT_AVAILABLE, str(problem))
    finally:
        peer.quit()
