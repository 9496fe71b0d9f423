"""Text from peers, vendor libraries and other people's results, made harmless before it is shown.

What a reader cannot see can change what he sees: a terminal obeys escape sequences, a browser turns text around at
a directional override. Such characters are written out (``\\x1b``, ``\\u202e``); what a file that is linked is called
stays below the directory of the report.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""Controls (but tab and line feed), directional marks and overrides, what has no width, halves of a character."""


def visible(text: str) -> str:
    """The text with every character that cannot be seen written out."""
    return _UNSEEN.sub(lambda found: _written(ord(found[0])), text)


def made_visible(value: Any) -> Any:
    """The same for every text in plain data of JSON's kinds."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(name)): made_visible(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [visible(each) if type(each) is str else made_visible(each) for each in value]
    return value


def link(path: str) -> str | None:
    """What leads to a file beside the report; None where the path is no path below its directory."""
    parts = path.split("/")
    if not path or "\\" in path or {"", ".", ".."} & set(parts) or visible(path) != path:
        return None
    return "./" + quote(path, safe="/")


def _written(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
