"""The heap of a peer: what one packet's codec frees serves the next."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

FAULTS: Final = """
import resource
from multifd.peer.heap import keep

keep()
bytearray(4 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    bytearray(4 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_memory_that_was_freed_is_used_again_without_page_faults() -> None:
    child = subprocess.run((sys.executable, "-c", FAULTS), capture_output=True, text=True, check=True)

    assert int(child.stdout) < 100
