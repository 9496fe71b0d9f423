"""Text of others, as it may be shown: no character in it does anything but stand there.

Escape sequences move a cursor and change colours, overrides of direction (U+202E) make text read as it is not, and what
has no width hides. Peers, QEMU and other people's results may have any of them in what they say, and as much as they
like: it is clipped where it enters.
"""

from __future__ import annotations

from typing import Final

_KEPT: Final = "\n\t"
LONGEST: Final = 4 << 10
"""Bytes of UTF-8 that are kept of one text of others: the cause of anything can be said in it."""
_NOTE: Final = " … ({} KiB more are left out)"
_ROOM: Final = LONGEST - 64
"""Bytes before the note, which is shorter than the rest."""


def printable(text: str) -> str:
    """The text with every character that ``str.isprintable`` takes for none as ``\\uXXXX``, but for line ends and tabs.

    JSON reads that as the same character, so that a document in JSON stays one and says the same.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in _KEPT else _escaped(each) for each in text)


def one_line(text: str) -> str:
    """The same on one line: what stands among our own lines must not make more of them."""
    return printable(text).replace("\n", r"\u000a").replace("\t", r"\u0009")


def clipped(text: str) -> str:
    """The text as it is up to :data:`LONGEST` bytes; of a longer one its beginning, and how much is left out."""
    if len(text) <= LONGEST // 4:  # the longest character of UTF-8 has 4 bytes
        return text
    whole = text.encode(errors="surrogatepass")
    if len(whole) <= LONGEST:
        return text
    left = -(-(len(whole) - _ROOM) // 1024)
    return whole[:_ROOM].decode(errors="ignore") + _NOTE.format(left)


def _escaped(character: str) -> str:
    """In units of UTF-16, as JSON has it; half a pair stands for a byte that was not UTF-8 (PEP 383)."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
