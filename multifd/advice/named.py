"""What the oracle says of dialects, said of the two hosts that somebody asked about."""

from __future__ import annotations

import re
from typing import Final

from multifd.advice.hosts import Host
from multifd.wire.dialect import DIALECTS, Dialect

_DIALECT: Final = re.compile(rf"\b({'|'.join(map(re.escape, DIALECTS))})(?![\w.])")


def named(text: str, sender: Host, receiver: Host) -> str:
    """The text with each host's release in the place of its dialect, and every other dialect's releases in its own.

    Where both speak one dialect, nobody can tell from its name which of them is meant.
    """
    hosts = (sender, receiver)
    known = {host.facts.dialect.name: f"QEMU {host.versions}" for host in hosts}
    if len(known) < len(hosts):
        known = {}
    return _DIALECT.sub(lambda found: known.get(found[0], _releases(DIALECTS[found[0]])), text)


def _releases(dialect: Dialect) -> str:
    """Those that speak it; of a proposal there are none."""
    return f"QEMU {dialect.versions}" if dialect.name.startswith("qemu-") else dialect.name
