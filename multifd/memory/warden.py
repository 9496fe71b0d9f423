"""``python -m multifd.memory.warden NAME``: waits for the end of a process, and cleans up behind it.

It was started by a :class:`multifd.process.kin.Warden`, which says when.
"""

from __future__ import annotations

import sys

from multifd.memory.scratch import reclaim
from multifd.process.kin import end_kin

if __name__ == "__main__":
    sys.stdin.read()
    end_kin(sys.argv[1])
    reclaim()
