#!/usr/bin/env python3
"""Plant the recorded host of this example, with its devices' counters: ``python -m examples.silicon.plant ROOT``."""

from __future__ import annotations

import sys
from pathlib import Path

from examples.silicon.counters import FORMS, plant
from multifd.device.recorded_host import RecordedHost

HOST = Path(__file__).with_name("host.txt")


def main(root: str) -> int:
    """What was there is written over."""
    RecordedHost.read(HOST).plant(Path(root))
    for device in ("QAT", "IAA"):
        plant(Path(root), FORMS[device])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
