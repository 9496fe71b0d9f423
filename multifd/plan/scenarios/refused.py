"""What QEMU refuses when it is told, over QMP or on its command line; and what it takes there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from multifd.plan.scenarios.scenario import Scenario
from multifd.qemu.tls import Tls

CLASHING: Final = ("zero-copy-send", "mapped-ram", "background-snapshot", "compress", "xbzrle")
"""Capabilities that are refused with multifd, or with compressed multifd; scenarios are ``with-NAME``."""
BEYOND: Final = ("level-beyond", "level-beyond-global")
"""Scenarios of a level that zlib does not have."""


def _refused() -> Iterator[Scenario]:
    guest = partial(Scenario, mode="qemu", shape="guest", becomes_zero=True)
    yield guest("global", "multifd, its method and channels are given with -global", on_command_line=True)
    yield guest("lacking", "a method that this QEMU does not have")
    yield guest("lacking-global", "a method that this QEMU does not have, given with -global", on_command_line=True)
    for name in BEYOND:
        yield guest(
            name, "multifd-zlib-level=10", parameters={"multifd-zlib-level": 10}, on_command_line="global" in name
        )
    for capability in CLASHING:
        yield guest(f"with-{capability}", f"{capability} is on, too", capabilities={capability: True})
    yield guest(
        "with-zero-copy-send-tls", "zero-copy-send is on, with TLS", capabilities={"zero-copy-send": True}, tls=Tls()
    )


REFUSALS: Final = tuple(_refused())
