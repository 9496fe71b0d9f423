"""Names as people give them: whole, in part, or with ``*`` and ``?``."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from multifd.codec import factories
from multifd.errors import InputError
from multifd.nearest import suggestion
from multifd.profile.load import load

_WILDCARDS: Final = {"*": ".*", "?": "."}


_QEMU: Final = "qemu-"
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z-]*")
"""A codec's name, or a part of one."""


def check_peer(given: str, what: str, profile: str) -> None:
    """Refuse the name of a peer that no plan can have, before a plan is made: that starts peers and asks QEMUs.

    Raises :class:`InputError` as :func:`picked`; what may be the name of a real QEMU, or has parameters or wildcards in
    it, is left to that.
    """
    if _QEMU.startswith(given) or given.startswith(_QEMU) or not _WORD.fullmatch(given):
        return
    names = [*factories(), *(entry.name for entry in load(profile).peers if entry.name is not None)]
    if not any(given in name for name in names):
        raise InputError(f"no {what} {given!r}; {suggestion(given, names)}")


def picked(given: str, names: Collection[str], what: str) -> list[str]:
    """The names that fit, in their order: the one that it is, else those of a pattern, else those that contain it.

    A pattern has ``*`` for any text and ``?`` for any character, and is that of the whole name; brackets are no part of
    it, for names have them. Raises :class:`InputError`, with the nearest names, where none fits.
    """
    if not names:
        raise InputError(f"there is no {what}, and therefore no {given!r}")
    if given in names:
        return [given]
    if any(wildcard in given for wildcard in _WILDCARDS):
        pattern = re.compile("".join(_WILDCARDS.get(each, re.escape(each)) for each in given), re.DOTALL)
        found = [name for name in names if pattern.fullmatch(name)]
    else:
        found = [name for name in names if given in name]
    if not found:
        raise InputError(f"no {what} {given!r}; {suggestion(given, names)}")
    return found
