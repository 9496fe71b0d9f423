"""Text of others in a document: nothing in it is read as markup."""

from __future__ import annotations

import re


def text(value: object) -> str:
    """Prose for a table: one line, nothing in it read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(str(value).split()))


def code(value: object) -> str:
    """A code span for a table: GitHub splits a row at ``|`` even there, and a backtick would end it."""
    return f"`{' '.join(str(value).split()).replace('`', chr(39)).replace('|', chr(92) + '|')}`"
