"""Text of others, as it may be shown: no character in it does anything but stand there.

Escape sequences move a cursor and change colours, overrides of direction (U+202E) make text read as it is not, and what
has no width hides. Peers, QEMU and other people's results may have any of them in what they say.
"""

from __future__ import annotations

from typing import Final

_KEPT: Final = "\n\t"


def printable(text: str) -> str:
    """The text with every character that ``str.isprintable`` takes for none as ``\\uXXXX``, but for line ends and tabs.

    JSON reads that as the same character, so that a document in JSON stays one and says the same.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in _KEPT else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    """In units of UTF-16, as JSON has it; half a pair stands for a byte that was not UTF-8 (PEP 383)."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
