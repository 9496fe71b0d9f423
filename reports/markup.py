"""Text of others in Markdown: shown as it is, whatever it says, on one line or in a block.

Nothing in it becomes markup, a link or a control character, and none of it is longer than there is room for. What peers
say is code: forges make links of addresses and of names after an ``@`` in prose, however these are escaped.
"""

from __future__ import annotations

import re
from typing import Final

from multifd.result.printable import printable

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|#~&$]|:(?=//)|(?<=www)\.)")
_CUT: Final = "…"


def text(value: object, most: int | None = None) -> str:
    """Prose, in a table or elsewhere: one line, of at most so many bytes before they are escaped."""
    line = _line(value, most)
    return code(line) if "@" in line else _MARKUP.sub(r"\\\1", line)


def code(value: object, most: int | None = None) -> str:
    """A code span: GitHub splits a row of a table at ``|`` even there, and a backtick would end it."""
    return f"`{_line(value, most).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def block(value: object, language: str = "") -> str:
    """A code block, behind a fence that nothing in it ends."""
    shown = printable(str(value)).rstrip("\n")
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown) or [""]))
    return f"{fence}{language}\n{shown}\n{fence}"


def _line(value: object, most: int | None) -> str:
    line = printable(" ".join(str(value).split()))
    whole = line.encode()
    if most is None or len(whole) <= most:
        return line
    return whole[: most - len(_CUT.encode())].decode(errors="ignore") + _CUT
