"""What to change at two running QEMUs so that a migration between them is safe."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from multifd.advice import paste
from multifd.advice.monitor import Running
from multifd.advice.releases import untold
from multifd.advice.terms import Terms
from multifd.framing.model import METHOD_FRAMINGS

RETURN_PATH: Final = "return-path"
"""With it a source waits for the destination's word before it gives its guest up."""
_HANGS: Final = "postcopy-preempt"
"""The capability that hangs a destination beside multifd, though nothing uses it."""
Safe = Callable[[Running, Running, Terms, Terms], bool]
Commands = tuple[str, ...]


def mended(sender: Running, receiver: Running, safe: Safe) -> tuple[Commands, Commands]:
    """QMP commands for the source and for the destination, as few as do it; none where no setting does.

    The source's method is kept if it can be, then the destination's; the number of channels is the destination's.
    """
    if sender.machine != receiver.machine:
        return (), ()
    usual = untold(sender.facts, sender.machine).zero_pages
    for method, zero_pages in itertools.product(
        _methods(sender, receiver), dict.fromkeys((sender.terms.zero_pages, usual, "legacy"))
    ):
        sent = replace(_told(sender, receiver, method), zero_pages=zero_pages)
        read = _told(receiver, receiver, method)
        if safe(sender, receiver, sent, read):
            return _commands(sender, sent), _commands(receiver, read)
    return (), ()


def _methods(sender: Running, receiver: Running) -> list[str]:
    shared = [method for method in METHOD_FRAMINGS if method in sender.host.methods and method in receiver.host.methods]
    liked = [sender.terms.method, receiver.terms.method]
    return sorted(shared, key=lambda method: liked.index(method) if method in liked else len(liked))


def _told(running: Running, receiver: Running, method: str) -> Terms:
    on = (running.on | {"multifd", RETURN_PATH}) - {_HANGS}
    return replace(running.terms, method=method, channels=receiver.terms.channels, on=on)


def _commands(running: Running, wanted: Terms) -> Commands:
    """What turns the one into the other."""
    now, on = running.terms, wanted.on
    values = (
        ("multifd-compression", now.method, wanted.method),
        ("multifd-channels", now.channels, wanted.channels),
        ("zero-page-detection", now.zero_pages, wanted.zero_pages),
    )
    changed = {name: after for name, before, after in values if before != after}
    capabilities = paste.capabilities(*sorted(on - running.on), off=sorted(running.on - on))
    return (
        *((capabilities,) if on != running.on else ()),
        *((paste.parameters(changed),) if changed else ()),
    )
