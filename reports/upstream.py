"""Where something was reported or mended, as an address.

Only the two ways in which known issues cite it become one; any other text, whoever wrote it, stays text.
"""

from __future__ import annotations

import re

_COMMIT = re.compile(r"QEMU commit ([0-9a-f]{8,40})\Z")
_ISSUE = re.compile(r"(intel/qpl|intel/QATzip) issue ([0-9]{1,6})\Z")


def address(citation: str) -> str | None:
    """Of ``QEMU commit 93c8a97f99`` or ``intel/qpl issue 21``; None for anything else."""
    if found := _COMMIT.match(citation):
        return f"https://gitlab.com/qemu-project/qemu/-/commit/{found[1]}"
    if found := _ISSUE.match(citation):
        return f"https://github.com/{found[1]}/issues/{found[2]}"
    return None
