"""What the QEMUs are told: nothing, levels, where zero pages go, capabilities that are on though nothing uses them.

``defaults`` is what a fleet runs whose owner sets nothing. Every parameter is as the machine type has it; of the
capabilities ``multifd`` is on, for without it this is another protocol, and at the source ``pause-before-switchover``:
it is not on the wire, and without it what becomes of a page would be a matter of luck.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from multifd.plan.scenarios.scenario import Scenario

LEVELS: Final = {"zlib": (0, 9), "zstd": (9, 13, 19, 20), "qatzip": (9,)}
"""Levels by method; 1 is the default of each. zstd before 1.5.5 corrupts at 13 and above (facebook/zstd #3517).
Given when a QEMU is started, for one before 9.0 takes no notice of a level that it is told over QMP."""
ON: Final = {
    "postcopy-ram": ("postcopy-ram",),
    "postcopy-preempt": ("postcopy-ram", "postcopy-preempt"),
    "switchover-ack": ("return-path", "switchover-ack"),
    "all-on": ("return-path", "switchover-ack", "postcopy-ram", "postcopy-preempt"),
}
"""Scenarios by the capabilities that are on while only precopy runs."""


def _settings() -> Iterator[Scenario]:
    guest = partial(Scenario, mode="qemu", shape="guest", becomes_zero=True)
    untold = partial(guest, defaults=True)
    yield untold("defaults", "every migration parameter is the default of the machine type")
    yield untold("channels", "another number of channels, everything else is the default of the machine type")
    yield guest(
        "migrate-none", "a guest of QEMU; zero-page-detection=none: zero pages travel like any other",
        normal_zero_pages=True,
    )  # fmt: skip
    for method, levels in LEVELS.items():
        for level in levels:
            name, parameter = f"{method}-level-{level}", f"multifd-{method}-level"
            yield untold(
                name, f"{parameter}={level}, given with -global, everything else is the default",
                parameters={parameter: level}, on_command_line=True,
            )  # fmt: skip
    for name, capabilities in ON.items():
        yield untold(
            name, f"precopy only, with {', '.join(capabilities)} on at both ends; parameters are the defaults",
            return_path="return-path" in capabilities, capabilities=dict.fromkeys(capabilities, True),
        )  # fmt: skip
    yield from _meetings()


def _meetings() -> Iterator[Scenario]:
    """Unequal numbers of channels, where something else is wrong too, or the destination looks late."""
    busy = partial(Scenario, mode="qemu", shape="few", busy_destination=True)
    spliced = partial(Scenario, mode="splice", shape="guest", becomes_zero=True)
    for name, which in (("fewer-channels", "fewer"), ("more-channels", "more")):
        told = f"the sender was told {which} channels than the receiver"
        yield busy(f"busy-{name}", f"{told}, which looks at nothing until the source has sent everything")
        yield spliced(f"{name}-spliced", f"{told}, and a codec of ours stands in its place")


SETTINGS: Final = tuple(_settings())
